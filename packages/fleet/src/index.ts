export { unknownMachine } from "./node.ts";
export { type NodeConfig, plainConfig } from "./node-config.ts";
export { type ConnectedNodePool, createNodePool, type NodePoolOptions } from "./node-pool.ts";
export { type HostKey, pinText } from "./ssh/host-key.ts";
export { parseTarget } from "./ssh/parse-target.ts";
export { readHostKey } from "./ssh/read-host-key.ts";
