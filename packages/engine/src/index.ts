export type { Commands } from "./commands.ts";
export { type CrashPointName, crashPoints } from "./crash-points.ts";
export { createEngine, type Engine } from "./engine.ts";
export type { CrashPoint, EnginePorts, ProjectPolicy, Settings } from "./ports.ts";
export type { Trouble } from "./run-effects.ts";
export type { FeedReport, Revision, SpecFile } from "./take-specs.ts";
