export type { LocalNodeConfig } from "./local-node.ts";
export { createLocalNodePool, type LocalNodePool, type LocalNodePoolOptions } from "./local-node-pool.ts";
