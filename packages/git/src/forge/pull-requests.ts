import { FactoryError, type Forge } from "@dispatch/core";
import type { GitOptions } from "../open-git.ts";
import type { ForgeAddress } from "./forge-address.ts";
import { runForge } from "./run-forge.ts";

export interface PullRequestText {
  title: string;
  body: string;
}

interface OpenRequest extends PullRequestText {
  number: number;
  url: string;
}

/** The pull requests from one branch of a repository into another one of its branches. */
export interface PullRequestPlace {
  forge: Forge;
  address: ForgeAddress;
  head: string;
  base: string;
}

/** What differs between the two programs. */
interface ForgeWords {
  findOpen(place: PullRequestPlace, options: GitOptions): Promise<OpenRequest | undefined>;
  /** Gives the address of the new request. */
  open(place: PullRequestPlace, text: PullRequestText, options: GitOptions): Promise<string>;
  change(place: PullRequestPlace, number: number, text: PullRequestText, options: GitOptions): Promise<void>;
}

/** Opens the pull request, or gives the one that is open this text. Gives its address. Safe to repeat: it looks first. */
export async function keepPullRequest(place: PullRequestPlace, text: PullRequestText, options: GitOptions): Promise<string> {
  const words = forges[place.forge];
  const found = await words.findOpen(place, options);
  if (found === undefined) return words.open(place, text, options);
  if (found.title !== text.title || !sameText(found.body, text.body)) await words.change(place, found.number, text, options);
  return found.url;
}

/** Forges keep line ends as browsers send them. */
function sameText(left: string, right: string): boolean {
  const plain = (text: string): string => text.replaceAll("\r\n", "\n").trim();
  return plain(left) === plain(right);
}

const github: ForgeWords = {
  async findOpen(place, options) {
    const fields = "number,url,title,body,headRefName,baseRefName,isCrossRepository";
    const args = ["pr", "list", ...ghRepo(place), "--head", place.head, "--base", place.base, "--state", "open", "--json", fields];
    const doing = `look for pull requests of ${place.address.path}`;
    const listed = parseList(await runForge({ forge: "gh", args, doing }, options), doing);
    // The branch of a fork may have the same name.
    const own = listed.find(
      (entry) => entry["isCrossRepository"] === false && entry["headRefName"] === place.head && entry["baseRefName"] === place.base,
    );
    return own && asRequest(own, { number: "number", url: "url", body: "body" }, doing);
  },
  async open(place, text, options) {
    const args = ["pr", "create", ...ghRepo(place), "--base", place.base, "--head", place.head, "--title", text.title, "--body-file", "-"];
    const doing = `open a pull request at ${place.address.path}`;
    return findAddress(await runForge({ forge: "gh", args, input: text.body, doing }, options), doing);
  },
  async change({ address }, number, text, options) {
    // `gh pr edit` asks for classic projects before it edits, which GitHub answers with an error since they are gone (fixed in gh 2.82.1).
    const endpoint = `repos/${address.path}/pulls/${number}`;
    const args = ["api", "--hostname", address.host, "--method", "PATCH", endpoint, "--input", "-"];
    await runForge({ forge: "gh", args, input: JSON.stringify(text), doing: `bring pull request ${number} of ${address.path} up to date` }, options);
  },
};

function ghRepo({ address }: PullRequestPlace): string[] {
  return ["--repo", `${address.host}/${address.path}`];
}

/** Through the interface of GitLab itself: `glab mr create` looks into the folder it is run in also when it is told the repository. */
const gitlab: ForgeWords = {
  async findOpen(place, options) {
    const query = new URLSearchParams({ state: "opened", source_branch: place.head, target_branch: place.base });
    const doing = `look for merge requests of ${place.address.path}`;
    const args = ["api", ...glabHost(place), `${requestsOf(place)}?${query}`];
    const listed = parseList(await runForge({ forge: "glab", args, doing }, options), doing);
    const own = listed.find((entry) => entry["source_project_id"] === entry["target_project_id"]);
    return own && asRequest(own, { number: "iid", url: "web_url", body: "description" }, doing);
  },
  async open(place, text, options) {
    const doing = `open a merge request at ${place.address.path}`;
    const branches = ["--raw-field", `source_branch=${place.head}`, "--raw-field", `target_branch=${place.base}`];
    const args = ["api", ...glabHost(place), "--method", "POST", requestsOf(place), ...branches, ...glabText(text)];
    const [made] = parseList(`[${await runForge({ forge: "glab", args, doing }, options)}]`, doing);
    return asRequest(made ?? {}, { number: "iid", url: "web_url", body: "description" }, doing).url;
  },
  async change(place, number, text, options) {
    const args = ["api", ...glabHost(place), "--method", "PUT", `${requestsOf(place)}/${number}`, ...glabText(text)];
    await runForge({ forge: "glab", args, doing: `bring merge request ${number} of ${place.address.path} up to date` }, options);
  },
};

function glabHost({ address }: PullRequestPlace): string[] {
  return ["--hostname", address.host];
}

function glabText({ title, body }: PullRequestText): string[] {
  return ["--raw-field", `title=${title}`, "--raw-field", `description=${body}`];
}

function requestsOf({ address }: PullRequestPlace): string {
  return `projects/${encodeURIComponent(address.path)}/merge_requests`;
}

const forges: Readonly<Record<Forge, ForgeWords>> = { gh: github, glab: gitlab };

type Entry = Readonly<Record<string, unknown>>;

function parseList(printed: string, doing: string): readonly Entry[] {
  let list: unknown;
  try {
    list = JSON.parse(printed);
  } catch {
    throw unreadable(printed, doing);
  }
  if (!Array.isArray(list) || !list.every((entry) => typeof entry === "object" && entry !== null)) throw unreadable(printed, doing);
  return list;
}

function asRequest(entry: Entry, names: { number: string; url: string; body: string }, doing: string): OpenRequest {
  const { [names.number]: number, [names.url]: url, title, [names.body]: body } = entry;
  if (typeof number !== "number" || typeof url !== "string" || typeof title !== "string") throw unreadable(JSON.stringify(entry), doing);
  return { number, url, title, body: typeof body === "string" ? body : "" };
}

/** `gh` prints the address of what it made on the last line. */
function findAddress(printed: string, doing: string): string {
  const url = /https?:\/\/\S+\s*$/.exec(printed)?.[0].trim();
  if (url === undefined) throw unreadable(printed, doing);
  return url;
}

function unreadable(printed: string, doing: string): FactoryError {
  return new FactoryError("ORIGIN_REFUSED", `could not ${doing}: the answer is not understood: ${printed.slice(0, 200)}`, {
    fault: "dependency",
    hint: "bring gh or glab up to date, then collect again",
  });
}
