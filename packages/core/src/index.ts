export { type Attempt, type AttemptState, holdsSlot, isFencedWithNode, isLive, type Round, transitionAttempt } from "./attempt.ts";
export { canonicalJson, contentDigest } from "./content-digest.ts";
export {
  anchorKey,
  type ContractAnchor,
  type ContractProblem,
  type ContractReading,
  changedAnchors,
  missingExamples,
  readMarkdownContract,
} from "./contract-text.ts";
export { blobsInDiff, sizesInAnswer } from "./diff-blobs.ts";
export { type Effect, effectKey } from "./effect.ts";
export { type ErrorCode, type ErrorDetails, errorCode, FactoryError, invariant, isFactoryError } from "./errors.ts";
export {
  type AttemptOutcome,
  type Candidate,
  type ConflictPath,
  type ConflictReport,
  type ContractChange,
  eventVersion,
  type FactoryEvent,
  type FactoryEventType,
  type SessionIdentity,
  type StoredEvent,
  type TokenUsage,
  type WrapperFact,
} from "./event.ts";
export { type FoundSecret, findSecret } from "./find-secret.ts";
export {
  type AcceptanceResult,
  type CommandResult,
  defaultGatePolicy,
  type Finding,
  type GateId,
  type GatePolicy,
  hasBlocking,
  type TestName,
  type WaivableGate,
  type Waiver,
  waivableGates,
} from "./finding.ts";
export {
  type AttemptId,
  attemptBranch,
  attemptIdOf,
  type CarId,
  checkpointRef,
  generatedRef,
  type NodeId,
  type Oid,
  type ProjectId,
  projectIdPattern,
  resultRef,
  salvageRef,
  specIdPattern,
  splitTaskId,
  type TaskId,
  taskIdOf,
} from "./ids.ts";
export {
  type AttemptJob,
  type AttemptLimits,
  type ExecutorDefinition,
  type Generated,
  type GeneratedFiles,
  type GenerateJob,
  noLimits,
  revertExecutor,
  type VerifyJob,
} from "./job.ts";
export { type NodeRecord, newNode } from "./node.ts";
export { coversAny, coversPath, isGlob, patternProblem, patternsOverlap, reachesInto } from "./path-pattern.ts";
export type { Clock } from "./ports/clock.ts";
export type { Commit, Ledger, PendingEffect } from "./ports/ledger.ts";
export type { Log } from "./ports/log.ts";
export { type AttemptReport, type NodeClosure, type NodePool, type NodeSnapshot, plainNode, type Salvage } from "./ports/node-pool.ts";
export type {
  AdvanceOutcome,
  BuiltCar,
  CarInput,
  CarMember,
  DiffText,
  Forge,
  GeneratedCommit,
  ProjectSource,
  PublishOutcome,
  PullRequestRoute,
  Repositories,
  TakeInOutcome,
} from "./ports/repositories.ts";
export { type CollectState, type LastCollect, type Project, transitionProject } from "./project.ts";
export { protectedPaths } from "./protected-paths.ts";
export { effectDelayMs, retryDelayMs } from "./retry-policy.ts";
export {
  type AcceptanceCommand,
  type Budget,
  type DeclaredEvidence,
  laterSpecFields,
  type Priority,
  type Resources,
  type TaskSpec,
  type TaskType,
  type TestKind,
  type TestsMin,
  testsMinOf,
  type VerifyCommand,
} from "./spec.ts";
export type { Step } from "./step.ts";
export {
  holdsLock,
  isEnded,
  lockedPaths,
  type ParkReason,
  type Task,
  type TaskState,
  type Tries,
  transitionTask,
} from "./task.ts";
export {
  abandonCars,
  type Car,
  type CarEvent,
  type CarState,
  convicts,
  emptyTrain,
  heldMembers,
  isBehind,
  leaveTrain,
  mostBrokenRuns,
  type Standing,
  standingOf,
  type Train,
  type TrainRecord,
  transitionTrain,
} from "./train.ts";
export { type Change, type Evolution, emptyWorld, evolve, noChange, type World, withChange } from "./world.ts";
