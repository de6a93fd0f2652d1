/** First words that are commands and hardly ever words of a sentence. */
const commands = new Set(
  `pytest npm npx pnpm yarn bun deno node python python3 pip uv poetry tox nox ruff mypy black flake8 alembic bash sh zsh git curl wget docker
  docker-compose kubectl helm terraform cargo rustc gofmt golangci-lint tsc vitest jest mocha eslint biome oxlint prettier playwright cypress mvn
  gradle ./gradlew dotnet php composer phpunit ruby bundle rspec rake rails swift cmake ctest ninja jq yq grep egrep rg sed awk psql mysql
  sqlite3 redis-cli k6 wrk stripe xmllint shellcheck dispatch openssl ssh tmux wc ls cat`.split(/\s+/),
);
/** Commands that are also words: they count only where something else says that a command stands here. */
const ambiguous = new Set("make go test find head tail diff node env time timeout sort true false echo printf hey ab just task".split(" "));

/** Whether a text begins like a shell command. `sure` leaves out commands that are also English words. */
export function looksLikeCommand(text: string, certainty: "sure" | "likely"): boolean {
  const words = text.trim().split(/\s+/);
  const first = words.find((word) => !/^[A-Za-z_][A-Za-z0-9_]*=\S*$/.test(word));
  if (first === undefined) return false;
  if (/^(\.{1,2}\/|[\w.-]+\/[\w./-]+\.(sh|py|mjs|js|ts|rb)$)/.test(first) || /^\[\[?$/.test(first)) return true;
  return commands.has(first) || (certainty === "likely" && ambiguous.has(first));
}
