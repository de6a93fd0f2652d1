/** How a file's lines are read by the gates. */
export type Language =
  | "script"
  | "python"
  | "go"
  | "rust"
  | "java"
  | "kotlin"
  | "swift"
  | "csharp"
  /** Braces and // comments, no stub rules of its own: C, C++, PHP, Scala, Dart, protobuf … */
  | "brace"
  /** # comments: shell, YAML, TOML, Ruby, Dockerfile, Makefile … */
  | "hash"
  | "sql"
  | "css"
  | "markup"
  | "data"
  | "prose"
  /** Written by tools: nothing in it is anybody's promise. */
  | "generated"
  | "unknown";

const byExtension: Readonly<Record<string, Language>> = Object.fromEntries(
  (
    [
      ["script", "ts tsx mts cts js jsx mjs cjs"],
      ["python", "py pyi pyx"],
      ["go", "go"],
      ["rust", "rs"],
      ["java", "java"],
      ["kotlin", "kt kts"],
      ["swift", "swift"],
      ["csharp", "cs"],
      ["brace", "c h cc cpp cxx hpp hh m mm php scala sc dart groovy gradle proto zig"],
      ["hash", "sh bash zsh fish yml yaml toml rb rake pl pm r ini cfg conf env properties tf hcl nix mk cmake graphql gql ps1 ex exs jl"],
      ["sql", "sql"],
      ["css", "css scss sass less styl"],
      ["markup", "html htm xhtml xml vue svelte astro hbs ejs njk jinja j2 twig erb xaml"],
      ["data", "json json5 jsonc jsonl ndjson ipynb"],
      ["prose", "md mdx markdown rst txt adoc asciidoc org tex"],
      ["generated", "lock map snap svg sum"],
    ] as const
  ).flatMap(([language, extensions]) => extensions.split(" ").map((extension) => [extension, language] as const)),
);

const generatedName =
  /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|yarn\.lock|bun\.lockb?|Package\.resolved|packages\.lock\.json)$|\.min\.(?:js|css|mjs)$|\.pb\.go$|_pb2(?:_grpc)?\.pyi?$/;
const hashName =
  /^(?:Dockerfile.*|Containerfile|Makefile|Justfile|Gemfile|Rakefile|Vagrantfile|\.env.*|\.gitignore|\.dockerignore|\.editorconfig|CODEOWNERS)$/;
const proseName = /^(?:README|CHANGELOG|CONTRIBUTING|LICENSE|NOTICE|AUTHORS|COPYING)$/;

export function languageOf(path: string): Language {
  if (generatedName.test(path)) return "generated";
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (hashName.test(name)) return "hash";
  if (proseName.test(name)) return "prose";
  const dot = name.lastIndexOf(".");
  const extension = dot < 0 ? "" : name.slice(dot + 1).toLowerCase();
  return Object.hasOwn(byExtension, extension) ? (byExtension[extension] ?? "unknown") : "unknown";
}

/** Whether git should always be able to show the lines of such a file. */
export function isSourceLanguage(language: Language): boolean {
  return ["script", "python", "go", "rust", "java", "kotlin", "swift", "csharp"].includes(language);
}

const testFolder = /(?:^|\/)(?:__tests__|__mocks__|tests?|specs?|testing|fixtures?|mocks?|fakes?|stubs?|e2e|testdata|[\w.]*Tests?)\//;
const testName =
  /(?:[._-](?:test|tests|spec|fixture|fixtures|mock|mocks|fake|fakes|stub|stubs|e2e|cy)\.[^/]+|(?:^|\/)(?:test_[^/]+|conftest)\.py|_test\.(?:go|py|rs)|(?:Test|Tests|IT|Spec|Mock|Fake|Stub)\.(?:java|kt|swift|cs))$/;

const suiteName =
  /(?:[._-](?:test|tests|spec|e2e|cy)\.[cm]?[jt]sx?|(?:^|\/)test_[^/]+\.py|_test\.(?:go|py|rs|exs|dart)|_spec\.rb|(?:Test|Tests|IT|Spec)\.(?:java|kt|swift|cs|php|scala|groovy))$/;
const suiteFolder = /(?:^|\/)(?:__tests__|tests?|specs?|e2e|[\w.]*Tests?)\/(?:.*\/)?[^/]+\.(?:[cm]?[jt]sx?|py|rs|rb|php|java|kt|swift|cs)$/;
const double =
  /(?:^|\/)(?:conftest\.py|mod\.rs|[^/]*(?:fixture|mock|fake|stub|helper|setup|util)s?[^/]*)$|(?:^|\/)(?:fixtures?|__mocks__|mocks?|fakes?|stubs?|support|kit|helpers?|testdata)\//i;

/** Whether a path is a file of tests, by the customs of its language: not what tests share. */
export function isSuiteFile(path: string): boolean {
  return suiteName.test(path) || (suiteFolder.test(path) && !double.test(path));
}

/** Whether a path is where tests and their doubles live. Empty bodies are ordinary there. */
export function isTestPath(path: string): boolean {
  return testFolder.test(path) || testName.test(path);
}

const doubleFolder = /(?:^|\/)(?:__mocks__|fixtures?|mocks?|fakes?|stubs?|testdata|__snapshots__|snapshots?)\//;
const testFolderOnly = /(?:^|\/)(?:__tests__|tests?|specs?|e2e|[\w.]*Tests?)\//;
const testNameOnly =
  /(?:[._-](?:test|tests|spec|e2e|cy)\.[^/]+|(?:^|\/)test_[^/]+\.py|_(?:test|spec)\.(?:go|py|rs|rb|exs|dart|cc|cpp)|(?:Tests?|IT|Spec)\.(?:java|kt|swift|cs|php|scala|groovy))$/;

/** Whether the name of a file says that it holds tests. */
export function isTestName(path: string): boolean {
  return testNameOnly.test(path) && !doubleFolder.test(path);
}

/** Whether a file is one that may hold tests, and not a double or data of tests. */
export function isTestFile(path: string): boolean {
  return !doubleFolder.test(path) && (testNameOnly.test(path) || (testFolderOnly.test(path) && isSourceLanguage(languageOf(path))));
}
