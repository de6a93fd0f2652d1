import { FactoryError, type NodeId } from "@dispatch/core";

export function unreachable(node: NodeId, because: string): FactoryError {
  return new FactoryError("NODE_UNREACHABLE", `node ${node} cannot be reached: ${because}`, {
    fault: "dependency",
    retry: "later",
    hint: "Sessions on the node go on; the link is tried again by itself.",
  });
}
