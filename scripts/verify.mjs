/**
 * The one gate: every check of the repository, one line per step, and what a red step printed.
 *
 *   node scripts/verify.mjs           everything; what CI runs
 *   node scripts/verify.mjs --fast    without test/e2e, test/crash and test/integration
 *
 * 1. A step starts when the steps it needs are green; the others run all the same, so that one run tells everything.
 * 2. At most two steps run at once; the tests run alone, because some of them measure.
 * 3. The last line is `N passed, N failed`, which counts tests and, as failed, also every other red step.
 *    A skipped test is told there and makes the run red.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { checkLayers } from "./check-layers.mjs";
import { checkPushes } from "./check-pushes.mjs";
import { checkRoot } from "./check-root.mjs";
import { checkWalk } from "./check-walk.mjs";
import { checkWords } from "./check-words.mjs";
import { repositoryRoot } from "./repository-files.mjs";
import { closingLine, isGreen, readReport, readTotals, slowestFiles } from "./test-totals.mjs";

const fast = process.argv.includes("--fast");
const scratch = mkdtempSync(join(tmpdir(), "dispatch-verify-"));
const reportPath = join(scratch, "tests.json");
const slowFolders = ["test/e2e/**", "test/crash/**", "test/integration/**"];

/** `run` is a program of node_modules/.bin with its arguments; `check` gives problems, one line each. */
const steps = [
  { name: "biome", needs: [], run: ["biome", "check", "--error-on-warnings"] },
  { name: "layers", needs: [], check: checkLayers },
  { name: "root", needs: [], check: checkRoot },
  { name: "walk", needs: [], check: checkWalk },
  { name: "words", needs: [], check: checkWords },
  { name: "pushes", needs: [], check: checkPushes },
  { name: "build", needs: [], run: ["turbo", "run", "build", "--continue=dependencies-successful", "--output-logs=errors-only"] },
  { name: "oxlint", needs: ["build"], run: ["oxlint", "--type-aware", "--deny-warnings", "packages", "test", "scripts"] },
  { name: "types", needs: [], run: ["tsc", "-p", "test/tsconfig.json"] },
  { name: "knip", needs: [], run: ["knip", "--no-progress"] },
  { name: "generated", needs: [], run: ["tsx", "--conditions=@dispatch/source", "scripts/generate.ts", "--check"] },
  {
    name: "tests",
    needs: ["build"],
    alone: true,
    run: [
      "vitest",
      "run",
      "--reporter=dot",
      "--reporter=json",
      `--outputFile.json=${reportPath}`,
      ...(fast ? slowFolders.flatMap((folder) => ["--exclude", folder]) : []),
    ],
  },
];

const environment = {
  ...process.env,
  DO_NOT_TRACK: "1",
  TURBO_TELEMETRY_DISABLED: "1",
  TURBO_NO_UPDATE_NOTIFIER: "1",
  NO_COLOR: "1",
  FORCE_COLOR: undefined,
};

const running = new Set();

/** Ends with `{ok, output}`; never rejects. */
function runProgram([program, ...args]) {
  return new Promise((resolve) => {
    const path = join(repositoryRoot, "node_modules", ".bin", program);
    const child = spawn(path, args, { cwd: repositoryRoot, env: environment, stdio: ["ignore", "pipe", "pipe"] });
    running.add(child);
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    child.on("error", (error) => chunks.push(Buffer.from(`${program} could not be started: ${error.message}\nnpm ci installs it\n`)));
    child.on("close", (code) => {
      running.delete(child);
      resolve({ ok: code === 0, output: Buffer.concat(chunks).toString("utf8") });
    });
  });
}

function runCheck(check) {
  try {
    const problems = check(repositoryRoot);
    return { ok: problems.length === 0, output: problems.join("\n") };
  } catch (error) {
    return { ok: false, output: String(error?.stack ?? error) };
  }
}

async function performStep(step) {
  const startedAt = performance.now();
  let result = step.check === undefined ? await runProgram(step.run) : runCheck(step.check);
  if (step.name === "tests" && result.ok && !isGreen(readTotals(reportPath))) {
    result = { ok: false, output: `${result.output}\nevery test has to run: none skipped, at least one found` };
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(6);
  console.log(`${result.ok ? "ok  " : "RED "} ${step.name.padEnd(10)} ${seconds} s`);
  if (!result.ok) console.log(`${indent(result.output)}\n`);
  if (step.name === "tests") tellSlowest();
  return result.ok;
}

/** So that a run that grows shows where. */
function tellSlowest() {
  const report = readReport(reportPath);
  if (report === undefined) return;
  for (const { path, seconds } of slowestFiles(report, 12))
    console.log(`     ${seconds.toFixed(1).padStart(6)} s  ${relative(repositoryRoot, path)}`);
}

function indent(text) {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => `     ${line}`)
    .join("\n");
}

/** Runs all steps and gives the names of those that are not green. */
async function performSteps() {
  const outcome = new Map();
  const waiting = new Set(steps);
  const busy = new Map();
  while (waiting.size > 0 || busy.size > 0) {
    for (const step of [...waiting]) {
      if (step.needs.some((need) => outcome.get(need) === false)) {
        waiting.delete(step);
        outcome.set(step.name, false);
        console.log(`RED  ${step.name.padEnd(10)} not run: it needs ${step.needs.join(", ")}`);
      }
    }
    const ready = [...waiting].filter((step) => step.needs.every((need) => outcome.get(need) === true));
    const next = ready.find((step) => (step.alone ? busy.size === 0 : busy.size < 2 && ![...busy.keys()].some((other) => other.alone)));
    if (next !== undefined) {
      waiting.delete(next);
      busy.set(
        next,
        performStep(next).then((ok) => {
          outcome.set(next.name, ok);
          busy.delete(next);
        }),
      );
    } else if (busy.size > 0) await Promise.race(busy.values());
  }
  return [...outcome].filter(([, ok]) => !ok).map(([name]) => name);
}

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
    rmSync(scratch, { recursive: true, force: true });
    process.exit(128 + constants.signals[signal]);
  });
}

const red = await performSteps();
const totals = readTotals(reportPath);
rmSync(scratch, { recursive: true, force: true });
if (red.length > 0) console.log(`\nred: ${red.join(", ")}`);
console.log(
  closingLine(
    totals,
    red.filter((name) => name !== "tests" || totals.failed === 0),
  ),
);
process.exitCode = red.length === 0 ? 0 : 1;
