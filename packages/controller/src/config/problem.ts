import { FactoryError } from "@dispatch/core";

/** One thing that is wrong in a configuration file. */
export interface ConfigProblem {
  /** The file, relative to the factory (or to the project's repository). */
  file: string;
  /** Where in the file, for example `projects.shop.verify`. */
  path: string;
  message: string;
  /** What would be right. */
  hint: string;
}

/** All problems of the configuration in one error: nothing starts half configured. */
export function configInvalid(problems: readonly ConfigProblem[]): FactoryError {
  const lines = problems.map((problem) => `${problem.file} ${problem.path}: ${problem.message}; try: ${problem.hint}`);
  return new FactoryError(
    "CONFIG_INVALID",
    `the configuration has ${problems.length} problem${problems.length === 1 ? "" : "s"}\n${lines.join("\n")}`,
    {
      fault: "user",
      hint: "mend them; nothing was started or changed",
      facts: { problems },
    },
  );
}
