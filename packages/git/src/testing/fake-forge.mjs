#!/usr/bin/env node
// Stands for gh and glab, which need a forge on the network: keeps the pull requests in a file and notes how it was called.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

const folder = dirname(process.argv[1]);
const program = basename(process.argv[1]);
const args = process.argv.slice(2);
const at = (name) => join(folder, name);
const requests = existsSync(at("requests.json")) ? JSON.parse(readFileSync(at("requests.json"), "utf8")) : [];
const readInput = () => readFileSync(0, "utf8");
const option = (name) => args[args.indexOf(name) + 1];
const fields = () =>
  Object.fromEntries(
    args.flatMap((arg, i) => (args[i - 1] === "--raw-field" ? [[arg.slice(0, arg.indexOf("=")), arg.slice(arg.indexOf("=") + 1)]] : [])),
  );

appendFileSync(at("calls.jsonl"), `${JSON.stringify([program, ...args])}\n`);

if (existsSync(at("failure.json"))) {
  const { exitCode, stderr, hangs } = JSON.parse(readFileSync(at("failure.json"), "utf8"));
  if (hangs) setInterval(() => undefined, 1000);
  else {
    process.stderr.write(`${stderr}\n`);
    process.exit(exitCode);
  }
} else if (program === "gh") answerAsGh();
else answerAsGlab();

function keep() {
  writeFileSync(at("requests.json"), JSON.stringify(requests));
}

function make(request) {
  if (requests.some((one) => one.open && one.head === request.head && one.base === request.base && !one.fork)) {
    process.stderr.write("a pull request for this branch already exists\n");
    process.exit(1);
  }
  const made = { number: requests.length + 1, open: true, fork: false, ...request };
  requests.push(made);
  keep();
  return made;
}

function answerAsGh() {
  const url = ({ number }) => `https://github.com/acme/shop/pull/${number}`;
  const [noun, verb] = args;
  if (noun === "pr" && verb === "list") {
    const listed = requests.filter((one) => one.open && one.head === option("--head") && one.base === option("--base"));
    const shown = listed.map((one) => ({
      number: one.number,
      url: url(one),
      title: one.title,
      // As GitHub gives texts back.
      body: one.body.replaceAll("\n", "\r\n"),
      headRefName: one.head,
      baseRefName: one.base,
      isCrossRepository: one.fork,
    }));
    process.stdout.write(JSON.stringify(shown));
  } else if (noun === "pr" && verb === "create" && option("--body-file") === "-") {
    const made = make({ head: option("--head"), base: option("--base"), title: option("--title"), body: readInput() });
    process.stdout.write(`${url(made)}\n`);
  } else if (noun === "api" && option("--method") === "PATCH" && option("--input") === "-") {
    const number = Number(/^repos\/acme\/shop\/pulls\/(\d+)$/.exec(args[5])[1]);
    Object.assign(
      requests.find((one) => one.number === number),
      JSON.parse(readInput()),
    );
    keep();
    process.stdout.write("{}\n");
  } else process.exit(2);
}

function answerAsGlab() {
  const show = (one) => ({
    iid: one.number,
    web_url: `https://gitlab.com/acme/web/shop/-/merge_requests/${one.number}`,
    title: one.title,
    description: one.body,
    source_project_id: one.fork ? 8 : 7,
    target_project_id: 7,
  });
  const endpoint = args.find((arg) => arg.startsWith("projects/"));
  const place = "projects/acme%2Fweb%2Fshop/merge_requests";
  if (args[0] !== "api" || !endpoint?.startsWith(place)) process.exit(2);
  const rest = endpoint.slice(place.length);
  if (rest.startsWith("?")) {
    const query = new URLSearchParams(rest);
    const listed = requests.filter((one) => one.open && one.head === query.get("source_branch") && one.base === query.get("target_branch"));
    process.stdout.write(JSON.stringify(query.get("state") === "opened" ? listed.map(show) : []));
  } else if (option("--method") === "POST") {
    const { source_branch: head, target_branch: base, title, description: body } = fields();
    process.stdout.write(JSON.stringify(show(make({ head, base, title, body }))));
  } else if (option("--method") === "PUT") {
    const { title, description: body } = fields();
    const one = requests.find(({ number }) => `/${number}` === rest);
    Object.assign(one, { title, body });
    keep();
    process.stdout.write(JSON.stringify(show(one)));
  } else process.exit(2);
}
