export { apiVersion, type DownRequest, type ErrorView, type EventView, type HealthView } from "./api/endpoints.ts";
export type {
  AbandonView,
  CordonRequest,
  FencedAttempt,
  NodeLink,
  NodeLossRow,
  NodeRow,
  NodeSession,
  NodeStanding,
  NodesView,
  NodeView,
} from "./api/nodes.ts";
export type { CollectView, FeedView, PlanView, ReportTask, ReportView, RevertRequest, RevertView, WaitingForLead } from "./api/projects.ts";
export type { PutSpecRequest, PutSpecView, SpecConflictFacts, SpecProblem, SpecRevisionRow, SpecView } from "./api/specs.ts";
export type { CarRow, ProjectRow, SignalsView, StatusView } from "./api/status.ts";
export type { AttachView, LogView, RetryRequest, TaskRow, TaskView } from "./api/tasks.ts";
export type { CauseRow, ForecastRow, StandingRow, TroubleRow, WhyAllView, WhyView } from "./api/why.ts";
export { type Door, factoryPaths } from "./factory-paths.ts";
export { version } from "./version.ts";
// controller <-> worker
export type {
  AgentProgram,
  GpuPulse,
  Heartbeat,
  HostMessage,
  HostMethod,
  HostMethods,
  HostNotification,
  HostRequest,
  HostResponse,
  LimitWay,
  NodeUsage,
  SeenAttempt,
  TailAnswer,
  TailFile,
  TidyOrder,
  WireError,
} from "./worker/contract.ts";
export { createLineSplitter, decodeLine, encodeLine, type LineSplitter } from "./worker/line-codec.ts";
export { nodeRepositoryPath, tmuxSocketName } from "./worker/node-layout.ts";
