import type { StoredEvent } from "@dispatch/core";

/**
 * The contract between the daemon and its clients: JSON over HTTP, on the factory's unix socket
 * (no token: the file's mode guards it) and on loopback (`Authorization: Bearer <token>`).
 *
 *   GET  /v1/health                              HealthView
 *   GET  /v1/status[?project=P]                  StatusView
 *   GET  /v1/why[?project=P]                     WhyAllView        (every unfinished task by its root cause)
 *   GET  /v1/projects/:project/report            ReportView
 *   GET  /v1/projects/:project/plan[?slots=N]    PlanView          (a dry run: nothing is fed or started)
 *   POST /v1/projects/:project/feed              FeedView          (400 SPEC_INVALID with facts.problems when no spec is fit)
 *   POST /v1/projects/:project/start             FeedView          (feeds, then lets tasks be placed)
 *   POST /v1/projects/:project/pause | resume    {}
 *   POST /v1/projects/:project/collect           CollectView       (poll status until collect is idle)
 *   POST /v1/projects/:project/revert            RevertView        body RevertRequest (404, or 409 NOT_ALLOWED with what to do instead)
 *   GET  /v1/tasks/:project/:spec                TaskView
 *   GET  /v1/tasks/:project/:spec/why            WhyView
 *   GET  /v1/tasks/:project/:spec/log            LogView           (?file=agent|verify & attempt=N & round=N & from=BYTES)
 *   GET  /v1/tasks/:project/:spec/attach         AttachView
 *   POST /v1/tasks/:project/:spec/retry          {}                body RetryRequest
 *   POST /v1/tasks/:project/:spec/cancel         {}
 *   GET  /v1/tasks/:project/:spec/spec           SpecView          (?revision=N; the newest without)
 *   PUT  /v1/tasks/:project/:spec/spec           PutSpecView       body PutSpecRequest (400 SPEC_INVALID with facts.problems;
 *                                                409 SPEC_CHANGED with SpecConflictFacts, or NOT_ALLOWED while it is worked on)
 *   GET  /v1/nodes                               NodesView
 *   GET  /v1/nodes/:node                         NodeView
 *   POST /v1/nodes/:node/cordon                  {}                body CordonRequest
 *   POST /v1/nodes/:node/uncordon                {}
 *   POST /v1/nodes/:node/abandon                 AbandonView       (409 NOT_ALLOWED while it is up)
 *   GET  /v1/events?after=SEQ                    server-sent events, data: StoredEvent, id: seq
 *   POST /v1/down                                {}                body DownRequest
 *
 * Failures are a 4xx or 5xx with ErrorView.
 */
export const apiVersion = "v1";

export interface HealthView {
  version: string;
  pid: number;
  factory: string;
  startedAt: number;
}

export interface ErrorView {
  error: { code: string; message: string; hint: string | null; facts: Record<string, unknown> };
}

export interface DownRequest {
  /**
   * `leave`: the daemon ends, sessions go on and are taken over at the next start.
   * `drain`: nothing new starts; the daemon ends when all sessions have ended and landed.
   * `stop`: sessions are stopped and salvaged; their tasks are placed again at the next start.
   */
  mode?: "leave" | "drain" | "stop";
}

export type EventView = StoredEvent;
