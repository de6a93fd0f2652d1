export { type AttemptFiles, attemptFiles } from "./attempt-files.ts";
export type { LoggedFact } from "./event-log.ts";
export { allowedEnvironment } from "./process/environment.ts";
export { type FolderRun, runInFolder } from "./process/run-in-folder.ts";
