import { type ErrorCode, FactoryError, isFactoryError, type StoredEvent } from "@dispatch/core";
import type { ErrorView, HealthView } from "@dispatch/protocol";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import * as z from "zod";
import { classifySystemError } from "../classify-system-error.ts";
import type { FactoryService } from "../factory-service.ts";

export interface AppParts {
  service: FactoryService;
  health(): HealthView;
  /** Events after a position, at most 1000. */
  readEvents(after: number): readonly StoredEvent[];
  subscribe(listener: () => void): () => void;
  down(mode: "leave" | "drain" | "stop"): void;
  onError(error: unknown): void;
}

const RetryBody = z.strictObject({ edited: z.boolean().default(false) });
const CordonBody = z.strictObject({ drain: z.boolean().default(false) });
const RevertBody = z.strictObject({
  landing: z.string("is missing: name a spec that landed, or a commit of main").trim().min(1, "is empty"),
  dryRun: z.boolean().default(false),
});
const DownBody = z.strictObject({ mode: z.enum(["leave", "drain", "stop"]).default("leave") });
const LogQuery = z.object({
  file: z.enum(["agent", "verify"]).default("agent"),
  attempt: z.coerce.number().int().positive().optional(),
  round: z.coerce.number().int().positive().optional(),
  from: z.coerce.number().int().min(0).default(0),
});
const positive = z.coerce.number().int().positive();
const SpecQuery = z.object({ revision: positive.optional() });
const PutSpecBody = z.strictObject({
  text: z.string("is missing: send the whole new spec file"),
  baseRevision: z.number("is missing: send the number of the revision that was edited (GET of the same path tells it)").int().positive(),
});
const PlanQuery = z.object({ slots: z.coerce.number().int().min(1).max(100_000).optional() });
const AfterQuery = z.object({ after: z.coerce.number().int().min(0).default(0) });

/** The daemon's HTTP interface (see @dispatch/protocol api/endpoints.ts). Every answer is data of the service. */
export function createApp(parts: AppParts): Hono {
  const { service } = parts;
  const app = new Hono();
  const by = "the lead";

  app.onError((thrown, context) => {
    const error = classifySystemError(thrown);
    if (!isFactoryError(error)) parts.onError(error);
    return context.json(errorView(error), statusOf(error));
  });
  app.notFound((context) =>
    context.json(errorView(new FactoryError("NOT_FOUND", `no such endpoint: ${context.req.method} ${context.req.path}`, { fault: "user" })), 404),
  );

  app.get("/v1/health", (context) => context.json(parts.health()));
  app.get("/v1/status", (context) => context.json(service.status(context.req.query("project"))));
  app.get("/v1/why", (context) => context.json(service.whyAll(context.req.query("project"))));
  app.get("/v1/projects/:project/plan", async (context) => {
    const { slots } = check(PlanQuery, context.req.query());
    return context.json(await service.plan(context.req.param("project"), slots));
  });
  app.get("/v1/projects/:project/report", async (context) => context.json(await service.report(context.req.param("project"))));
  app.post("/v1/projects/:project/feed", async (context) => context.json(await service.feed(context.req.param("project"), by)));
  app.post("/v1/projects/:project/start", async (context) => context.json(await service.start(context.req.param("project"), by)));
  app.post("/v1/projects/:project/collect", async (context) => context.json(await service.collect(context.req.param("project"), by)));
  app.post("/v1/projects/:project/pause", async (context) => {
    await service.pause(context.req.param("project"), by);
    return context.json({});
  });
  app.post("/v1/projects/:project/resume", async (context) => {
    await service.resume(context.req.param("project"));
    return context.json({});
  });

  app.post("/v1/projects/:project/revert", async (context) => {
    const request = check(RevertBody, await bodyOf(context.req.text()));
    return context.json(await service.revert(context.req.param("project"), request, by));
  });

  app.get("/v1/tasks/:project/:spec", (context) => context.json(service.task(taskParam(context.req.param()))));
  app.get("/v1/tasks/:project/:spec/why", (context) => context.json(service.why(taskParam(context.req.param()))));
  app.get("/v1/tasks/:project/:spec/attach", (context) => context.json(service.attach(taskParam(context.req.param()))));
  app.get("/v1/tasks/:project/:spec/log", async (context) => {
    const { file, from, attempt, round } = check(LogQuery, context.req.query());
    const query = { file, from, ...(attempt === undefined ? {} : { attempt }), ...(round === undefined ? {} : { round }) };
    return context.json(await service.log(taskParam(context.req.param()), query));
  });
  app.post("/v1/tasks/:project/:spec/retry", async (context) => {
    const { edited } = check(RetryBody, await bodyOf(context.req.text()));
    await service.retry(taskParam(context.req.param()), edited, by);
    return context.json({});
  });
  app.post("/v1/tasks/:project/:spec/cancel", async (context) => {
    await service.cancel(taskParam(context.req.param()), by);
    return context.json({});
  });

  app.get("/v1/tasks/:project/:spec/spec", async (context) => {
    const { revision } = check(SpecQuery, context.req.query());
    return context.json(await service.spec(taskParam(context.req.param()), revision));
  });
  app.put("/v1/tasks/:project/:spec/spec", async (context) => {
    const request = check(PutSpecBody, await bodyOf(context.req.text()));
    return context.json(await service.putSpec(taskParam(context.req.param()), request, by));
  });

  declareNodes(app, service, by);

  app.get("/v1/events", (context) => {
    const { after } = check(AfterQuery, { after: context.req.header("last-event-id") ?? context.req.query("after") });
    return streamSSE(context, (stream) => sendEvents(stream, after, parts));
  });
  app.post("/v1/down", async (context) => {
    const { mode } = check(DownBody, await bodyOf(context.req.text()));
    parts.down(mode);
    return context.json({});
  });
  return app;
}

function declareNodes(app: Hono, service: FactoryService, by: string): void {
  app.get("/v1/nodes", async (context) => context.json(await service.nodes()));
  app.get("/v1/nodes/:node", (context) => context.json(service.node(context.req.param("node"))));
  app.post("/v1/nodes/:node/cordon", async (context) => {
    const { drain } = check(CordonBody, await bodyOf(context.req.text()));
    await service.cordonNode(context.req.param("node"), drain, by);
    return context.json({});
  });
  app.post("/v1/nodes/:node/uncordon", async (context) => {
    await service.uncordonNode(context.req.param("node"), by);
    return context.json({});
  });
  app.post("/v1/nodes/:node/abandon", async (context) => context.json(await service.abandonNode(context.req.param("node"), by)));
}

interface EventStream {
  aborted: boolean;
  closed: boolean;
  onAbort(listener: () => void): void;
  writeSSE(message: { id: string; event: string; data: string }): Promise<void>;
}

/** Sends what the ledger holds after a position, then what follows, in ledger order without gaps. */
async function sendEvents(stream: EventStream, after: number, parts: Pick<AppParts, "readEvents" | "subscribe">): Promise<void> {
  let wake: () => void = () => {};
  const unsubscribe = parts.subscribe(() => wake());
  stream.onAbort(() => {
    unsubscribe();
    wake();
  });
  let position = after;
  while (!stream.aborted && !stream.closed) {
    const changed = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const events = parts.readEvents(position);
    for (const stored of events) {
      await stream.writeSSE({ id: String(stored.seq), event: stored.event.type, data: JSON.stringify(stored) });
      position = stored.seq;
    }
    if (events.length === 0) await changed;
  }
}

function taskParam(param: { project: string; spec: string }): string {
  return `${param.project}/${param.spec}`;
}

async function bodyOf(text: Promise<string>): Promise<unknown> {
  const body = await text;
  if (body.trim() === "") return {};
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new FactoryError("USAGE", "the request body is not JSON", { fault: "user", cause: error });
  }
}

function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new FactoryError("USAGE", z.prettifyError(parsed.error), { fault: "user" });
}

function errorView(error: unknown): ErrorView {
  if (isFactoryError(error)) return { error: { code: error.code, message: error.message, hint: error.hint ?? null, facts: { ...error.facts } } };
  return {
    error: { code: "UNEXPECTED", message: error instanceof Error ? error.message : String(error), hint: "see .dispatch/daemon.log", facts: {} },
  };
}

const notFound: readonly ErrorCode[] = ["NOT_FOUND", "FACTORY_MISSING"];
const conflicts: readonly ErrorCode[] = ["NOT_ALLOWED", "SPEC_CHANGED", "MAIN_MOVED", "LEDGER_CONFLICT"];

function statusOf(error: unknown): 400 | 404 | 409 | 500 | 503 {
  if (!isFactoryError(error)) return 500;
  if (notFound.includes(error.code)) return 404;
  if (conflicts.includes(error.code)) return 409;
  if (error.fault === "user") return 400;
  return error.retry === "later" ? 503 : 500;
}
