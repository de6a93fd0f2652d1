export {
  type AttachView,
  apiVersion,
  type CollectView,
  type DownRequest,
  type ErrorView,
  type EventView,
  type FeedView,
  type HealthView,
  type LogView,
  type NodeRow,
  type ProjectRow,
  type ReportTask,
  type ReportView,
  type RetryRequest,
  type SpecProblem,
  type StatusView,
  type TaskRow,
  type TaskView,
  type TroubleRow,
  type WaitingForLead,
  type WhyView,
} from "./api.ts";
export { type Door, factoryPaths } from "./factory-paths.ts";
// controller <-> worker
export type {
  Heartbeat,
  HostMessage,
  HostMethod,
  HostMethods,
  HostNotification,
  HostRequest,
  HostResponse,
  SeenAttempt,
  TailAnswer,
  TailFile,
  WireError,
} from "./worker/contract.ts";
export { createLineSplitter, decodeLine, encodeLine, type LineSplitter } from "./worker/line-codec.ts";
export { nodeRepositoryPath, tmuxSocketName } from "./worker/node-layout.ts";
