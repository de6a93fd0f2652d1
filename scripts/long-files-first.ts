import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What begins first. Tests of pure packages come last: they fill their process, and a full process takes long to start others. */
const order = [/\/test\/(crash|chaos|simulation|bootstrap)\//, /\/test\//, /\/(worker|fleet|git|cli|controller)\/src\//];

/** Files that take long begin first, so that no core is idle while another one plays the last of them. */
export class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [...sorted].sort((a, b) => rankOf(a) - rankOf(b));
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  const rank = order.findIndex((pattern) => pattern.test(moduleId));
  return rank < 0 ? order.length : rank;
}
