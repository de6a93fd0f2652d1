import { defaultGatePolicy, type GatePolicy, type GeneratedFiles, testsMinOf, type VerifyCommand, type Waiver } from "@dispatch/core";
import { configInvalid } from "./problem.ts";
import { readConfig } from "./read-config.ts";
import { type Factory, Gates, RepositoryPolicy, type Verify } from "./schema.ts";

/** Where a repository says what it demands of a change. */
export const policyFile = ".dispatch.yaml";

const defaultVerifyTimeoutSeconds = 600;

/** What a repository says of itself at one revision; `where` names that. Throws CONFIG_INVALID. */
export function readRepositoryPolicy(where: string, text: string | undefined): RepositoryPolicy {
  if (text === undefined) return {};
  const read = readConfig(RepositoryPolicy, `${where}:${policyFile}`, text);
  if ("problems" in read) throw configInvalid(read.problems);
  return read.value;
}

/** What a repository demands of a change where no factory says anything besides. */
export function policyAlone(own: RepositoryPolicy): { verify: readonly VerifyCommand[]; gates: GatePolicy } {
  return {
    verify: verifyCommands(own.verify),
    gates: composeGates({ gates: Gates.parse({}), contracts: [], paths: { shared: [], generated: [], barrier: [] } }, own.gates),
  };
}

type GatesEntry = NonNullable<RepositoryPolicy["gates"]>;

/** Allowances and waivers of the factory and of the repository count both. */
export function composeGates(
  { gates: factory, contracts, paths }: Pick<Factory["projects"][string], "gates" | "contracts" | "paths">,
  own: GatesEntry | undefined,
): GatePolicy {
  const generated = paths.generated.flatMap((files) => files.paths);
  const maxFileKb = own?.max_file_kb ?? factory.max_file_kb;
  return {
    placeholderAllow: [...factory.placeholder_allow, ...(own?.placeholder_allow ?? [])],
    placeholderWords: [...factory.placeholder_words, ...(own?.placeholder_words ?? [])],
    markerAllow: [...factory.marker_allow, ...(own?.marker_allow ?? [])],
    alwaysAllowed: [...factory.scope_allow, ...(own?.scope_allow ?? []), ...generated],
    testsMin: testsMinOf({ ...factory.tests_min, ...own?.tests_min }),
    protectedPaths: [...factory.protected, ...(own?.protected ?? [])],
    contracts,
    maxFileBytes: maxFileKb === undefined ? defaultGatePolicy.maxFileBytes : maxFileKb * 1024,
    waivers: [...factory.waive, ...(own?.waive ?? []), ...(generated.length === 0 ? [] : [heavyAsMade(generated)])],
  };
}

/** Nobody writes these files, so nobody can be asked to write less. */
function heavyAsMade(paths: readonly string[]): Waiver {
  return { gate: "G09", paths, because: "a command makes these files" };
}

export function generatedFiles(entries: Factory["projects"][string]["paths"]["generated"]): GeneratedFiles[] {
  return entries.map(({ paths, run, cwd, timeout_s, env }) => ({ paths, command: { run, cwd, timeoutSeconds: timeout_s, env } }));
}

export function verifyCommands(verify: Verify | undefined): VerifyCommand[] {
  if (verify === undefined) return [];
  const entries = Array.isArray(verify) ? verify : [verify];
  return entries.map((entry) =>
    typeof entry === "string"
      ? { run: entry, cwd: ".", timeoutSeconds: defaultVerifyTimeoutSeconds, env: {} }
      : { run: entry.run, cwd: entry.cwd, timeoutSeconds: entry.timeout_s ?? defaultVerifyTimeoutSeconds, env: entry.env },
  );
}
