export type { NodeConfig } from "./node-config.ts";
export { type ConnectedNodePool, createNodePool, type NodePoolOptions } from "./node-pool.ts";
export { parseTarget } from "./ssh/parse-target.ts";
