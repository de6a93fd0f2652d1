#!/usr/bin/env node
/**
 * A scripted agent for the demo and for tests, run as an ordinary `command` executor:
 *   node rehearse.mjs --scripts DIR [--fast]     plays DIR/<spec id>.json
 *   node rehearse.mjs --write-one                writes the first path the spec declares, and ends
 *
 * In: DISPATCH_SPEC_FILE (the spec, Markdown or JSON), DISPATCH_PROMPT_FILE, DISPATCH_ROUND and
 * DISPATCH_ATTEMPT (from 1), the working folder. Out: edits, DISPATCH_USAGE_FILE, the exit status.
 *
 * A script is { "rounds": [round, ...] } or { "attempts": [{ "rounds": [...] }, ...] }; the last one
 * repeats. A round is { "say": [], "think_ms": 0, "steps": [], "exit": 0 }. Text is a string, or a
 * list of whole lines. Steps that edit find their work already done when a round is played again.
 * Steps:
 *   write, append: path, with content or base64   replace: path, find, with   delete: path
 *   symlink: path, to    run: command    commit: message    print_bytes: n
 *   misbehave: "leave-todo" | "write-out-of-scope" | "break-test" | "write-binary" | "link-outside"
 *              (path optional) | "claim-done" | "hang" (ignore_term, setsid optional)
 *              | "crash" (exit or signal)
 *
 * Exit status: the round's, or 2 wrong call, 3 no script for this spec, 4 the script does not fit the tree.
 */
import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const banner = "REHEARSAL: a script plays the agent; no model is asked.";
const usage = { inputTokens: 0, writtenChars: 0 };

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

process.exitCode = await play(process.argv.slice(2)).catch(async (error) => {
  if (!(error instanceof Refusal)) throw error;
  await say(`rehearsal: ${error.message}`);
  saveUsage();
  return error.status;
});

async function play(args) {
  await say(banner);
  const options = readOptions(args);
  usage.inputTokens = tokensOf(process.env.DISPATCH_PROMPT_FILE ? readGiven("DISPATCH_PROMPT_FILE") : "");
  const spec = readSpec(readGiven("DISPATCH_SPEC_FILE"));
  const round = options.writeOne ? roundThatWritesOne(spec) : roundOf(readScript(options.scripts, spec.id));
  for (const line of round.say ?? []) await say(line);
  for (const step of round.steps ?? []) {
    if (!options.fast) await pause(round.think_ms ?? 0);
    await takeStep(step, spec);
  }
  saveUsage();
  return round.exit ?? 0;
}

function readOptions(args) {
  const options = { fast: false, writeOne: false, scripts: undefined };
  for (let i = 0; i < args.length; i++) {
    if (args[i] === "--fast") options.fast = true;
    else if (args[i] === "--write-one") options.writeOne = true;
    else if (args[i] === "--scripts" && args[i + 1]) options.scripts = args[++i];
    else throw new Refusal(2, `cannot use the argument "${args[i]}"; known: --scripts DIR, --write-one, --fast`);
  }
  if (!options.writeOne && !options.scripts) throw new Refusal(2, "needs --scripts DIR or --write-one");
  return options;
}

function readGiven(name) {
  const file = process.env[name];
  if (!file) throw new Refusal(2, `${name} is not set`);
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Refusal(2, `${name} cannot be read: ${error.message}`);
  }
}

/** The id and the declared paths of a spec, from JSON or from Markdown with front matter. */
function readSpec(text) {
  const json = parseJson(text);
  if (json) return { id: String(json.id ?? json.task_id), paths: [...(json.creates ?? []), ...(json.modifies ?? [])] };
  const head = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)\r?\n---/.exec(text)?.[1];
  const id = head && /^(?:task_id|id):[ \t]*["']?([^"'\s#]+)/m.exec(head)?.[1];
  if (!id) throw new Refusal(2, "DISPATCH_SPEC_FILE holds no spec with a task_id");
  return { id, paths: [...frontMatterList(head, "creates"), ...frontMatterList(head, "modifies")] };
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function frontMatterList(head, key) {
  const inline = new RegExp(`^${key}:[ \\t]*\\[([^\\]]*)\\]`, "m").exec(head)?.[1];
  const block = new RegExp(`^${key}:[ \\t]*\\r?\\n((?:[ \\t]*-[ \\t].*(?:\\r?\\n|$))+)`, "m").exec(head)?.[1];
  const items = inline?.split(",") ?? block?.split(/\r?\n/).map((line) => line.replace(/^[ \t]*-[ \t]/, "")) ?? [];
  return items.map((item) => item.trim().replace(/^(["'])(.*)\1$/, "$2")).filter((item) => item !== "");
}

function readScript(folder, id) {
  const file = join(folder, `${id}.json`);
  if (!/^[\w-]+$/.test(id) || !existsSync(file)) throw new Refusal(3, `no script for ${id}: ${file} does not exist`);
  const script = parseJson(readFileSync(file, "utf8"));
  if (!script) throw new Refusal(2, `${file} is not JSON`);
  return script;
}

function roundOf(script) {
  const rounds = nth(script.attempts ?? [script], process.env.DISPATCH_ATTEMPT)?.rounds;
  const round = nth(rounds, process.env.DISPATCH_ROUND);
  if (!round) throw new Refusal(2, "the script has no rounds");
  return round;
}

/** The item of that number, from 1; the last one for every number beyond. An attempt's id ends with its number. */
function nth(items = [], number) {
  const wanted = Number(/(\d+)$/.exec(number ?? "")?.[1] ?? 1);
  return items[Math.min(Math.max(wanted, 1), items.length) - 1];
}

function roundThatWritesOne(spec) {
  const path = firstPath(spec);
  return { steps: [{ append: path, content: `written by the rehearsal for ${spec.id}\n` }] };
}

function firstPath(spec) {
  const path = spec.paths.find((candidate) => !/[*?[]/.test(candidate) && !candidate.endsWith("/"));
  if (!path) throw new Refusal(2, `${spec.id} declares no single file to write`);
  return path;
}

async function takeStep(step, spec) {
  if (step.misbehave) return misbehave(step, spec);
  if (step.write) return writeText(step.write, contentOf(step));
  if (step.append) return append(step.append, contentOf(step));
  if (step.replace) return replace(step.replace, textOf(step.find), textOf(step.with));
  if (step.delete) return rmSync(step.delete, { recursive: true, force: true });
  if (step.symlink) return link(step.symlink, step.to);
  if (step.run) return runCommand(step.run);
  if (step.commit) return commit(step.commit);
  if (step.print_bytes) return printBytes(step.print_bytes);
  throw new Refusal(2, `unknown step ${JSON.stringify(step)}`);
}

async function misbehave(step, spec) {
  const path = step.path;
  switch (step.misbehave) {
    case "leave-todo":
      return append(path ?? firstPath(spec), `${commentOf(path ?? firstPath(spec))} TODO: finish this later\n`);
    case "claim-done":
      return say("Already complete: everything the spec asks for is there, all tests pass.");
    case "break-test":
      return append(
        path ?? spec.paths.find((candidate) => /test/.test(candidate)) ?? firstPath(spec),
        'throw new Error("broken by the rehearsal");\n',
      );
    case "write-out-of-scope":
      return writeText(path ?? "out-of-scope.txt", "nobody asked for this file\n");
    case "write-binary":
      return writeText(path ?? firstPath(spec), Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 151) % 256)));
    case "link-outside":
      return link(path ?? firstPath(spec), step.to ?? "../../../../../../etc/hostname");
    case "hang":
      return hang(step);
    case "crash":
      return crash(step);
    default:
      throw new Refusal(2, `unknown misbehaviour "${step.misbehave}"`);
  }
}

function commentOf(path) {
  return [".py", ".sh", ".rb", ".yaml", ".yml", ".toml", ".txt", ".md"].includes(extname(path)) ? "#" : "//";
}

function contentOf(step) {
  return step.base64 === undefined ? textOf(step.content) : Buffer.from(step.base64, "base64");
}

function textOf(text) {
  if (Array.isArray(text)) return text.map((line) => `${line}\n`).join("");
  if (typeof text !== "string") throw new Refusal(2, "a step lacks its text");
  return text;
}

function writeText(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  usage.writtenChars += content.length;
}

function append(path, content) {
  const old = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  const added = Buffer.from(content);
  if (old.length > 0 && old.includes(added)) return;
  mkdirSync(dirname(path), { recursive: true });
  appendFileSync(path, added);
  usage.writtenChars += content.length;
}

function replace(path, find, text) {
  if (!existsSync(path)) throw new Refusal(4, `${path} does not exist, so nothing in it can be replaced`);
  const old = readFileSync(path, "utf8");
  if (text !== "" && old.includes(text) && (text.includes(find) || !old.includes(find))) return;
  const parts = old.split(find);
  if (parts.length !== 2) throw new Refusal(4, `${path} holds the text to replace ${parts.length - 1} times, not once: ${JSON.stringify(find)}`);
  writeFileSync(path, parts.join(text));
  usage.writtenChars += text.length;
}

function link(path, target) {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  symlinkSync(target, path);
}

async function runCommand(command) {
  await say(`$ ${command}`);
  const result = spawnSync(command, { shell: true, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  await say(`${result.stdout}${result.stderr}`.trimEnd());
  if (result.status !== 0) await say(`(exit ${result.status ?? result.signal})`);
}

async function commit(message) {
  const identity = ["-c", "user.name=Rehearsal", "-c", "user.email=rehearsal@localhost"];
  for (const args of [
    ["add", "-A"],
    [...identity, "commit", "-q", "-m", message],
  ]) {
    const result = spawnSync("git", args, { encoding: "utf8" });
    if (result.status !== 0) return say(`git ${args.join(" ")}: ${`${result.stdout}${result.stderr}`.trim()}`);
  }
}

async function printBytes(count) {
  const line = `${"rehearsal ".repeat(102)}\n`;
  const block = line.repeat(64);
  for (let left = count; left > 0; left -= block.length) await emit(block.slice(0, left));
}

/** Never returns. The pid of a child in its own session is told on a line `child <pid>`. */
async function hang({ ignore_term: ignoreTerm, setsid }) {
  const wait = "setInterval(() => process.title, 1000)";
  const deaf = 'for (const s of ["SIGTERM", "SIGHUP", "SIGINT"]) process.on(s, () => process.title);';
  if (setsid) {
    const child = spawn(process.execPath, ["-e", ignoreTerm ? deaf + wait : wait], { detached: true, stdio: "ignore" });
    await say(`child ${child.pid}`);
  }
  if (ignoreTerm) for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"]) process.on(signal, () => void say(`${signal} is ignored`));
  saveUsage();
  await say("hanging");
  for (;;) await pause(60_000);
}

async function crash({ exit, signal }) {
  saveUsage();
  await say("crashing");
  if (exit !== undefined) process.exit(exit);
  process.kill(process.pid, signal ?? "SIGKILL");
  for (;;) await pause(60_000);
}

async function say(text) {
  usage.writtenChars += text.length;
  await emit(`${text}\n`);
}

/** Resolves when the text has left this process, so that a crash right after it loses nothing. */
function emit(text) {
  return new Promise((resolve, reject) => process.stdout.write(text, (error) => (error ? reject(error) : resolve())));
}

function tokensOf(text) {
  return Math.ceil(text.length / 4);
}

function saveUsage() {
  const file = process.env.DISPATCH_USAGE_FILE;
  if (!file) return;
  writeFileSync(`${file}.part`, JSON.stringify({ inputTokens: usage.inputTokens, outputTokens: Math.ceil(usage.writtenChars / 4) }));
  renameSync(`${file}.part`, file);
}
