import type { ChangeCase } from "./case.ts";

const on = (gate: "G06" | "G08" | "G09" | "G14", ...paths: string[]) => paths.map((path) => ({ gate, path }));
const at = (gate: "G06" | "G08" | "G14", path: string, ...lines: number[]) => lines.map((line) => ({ gate, path, line }));

/** Values with the form of credentials, put together here so that no scanner takes them for real ones. */
const secret = {
  aws: ["AKIA", "Q3EGT4XJ7M2WPL5K"].join(""),
  github: ["ghp", "_9dKx2LmQ7vRt4WzY8bNc1PfH6jSgA3uE5oTi"].join(""),
  slack: ["xoxb", "-720418830522-Kd83hsQpLm29XzRt"].join(""),
  stripe: ["sk", "_live_", "9fK2mZ81xQpL0vTr7YwB3nHc"].join(""),
  openai: ["sk", "-proj-", "Zk81mQp0xR7tLw3vNc5bYh2d"].join(""),
  google: ["AIza", "SyD9k2LmQ7vRt4WzY8bNc1PfH6jSgA3uE5o"].join(""),
  jwt: ["eyJhbGciOiJIUzI1NiIsInR5cCI6", "eyJzdWIiOiI5OTQ0MTcyMDUiLCJu", "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV"].map((part, i) => (i === 2 ? part : `${part}`)).join("."),
  random: "Zk81mQp0xR7tLw3vNc5bYh2d",
  body: "MIIEpAIBAAKCAQEA7Zk81mQp0xR7tLw3vNc5bYh2dQ9fK2mZ81xQpL0vTr7YwB3n",
};
const keyHead = ["-----BEGIN RSA", "PRIVATE KEY-----"].join(" ");

const manifest = (scripts: Record<string, string>, more: Record<string, unknown> = {}) => `${JSON.stringify({ name: "posts", scripts, ...more }, null, 2)}\n`;
const entry = (name: string, blocks = true) =>
  `## ${name}\n\n${blocks ? 'Request\n\n```json\n{ "title": "a" }\n```\n\nResponse\n\n```json\n{ "id": 1 }\n```\n' : "Makes a post.\n"}\n`;

/** Protected paths, credentials, weight and the shared contract. */
export const surroundingCases: readonly ChangeCase[] = [
  {
    name: "pipelines, hooks, the policy and git's own files",
    language: "config",
    before: { ".github/workflows/ci.yml": "on: push\n", ".gitlab-ci.yml": "test: {}\n" },
    after: { ".github/workflows/ci.yml": "on: pull_request\n", ".husky/pre-commit": "npm test\n", ".dispatch.yaml": "rounds: 1\n", "docs/.gitattributes": "*.ts -diff\n", ".gitmodules": "x\n", ".pre-commit-config.yaml": "repos: []\n", ".env.production": "A=1\n", Jenkinsfile: "x\n", "deploy/prod.yaml": "a: 1\n" },
    policy: { protectedPaths: ["deploy/**"] },
    expect: on("G06", ".dispatch.yaml", ".env.production", ".github/workflows/ci.yml", ".gitlab-ci.yml", ".gitmodules", ".husky/pre-commit", ".pre-commit-config.yaml", "Jenkinsfile", "deploy/prod.yaml", "docs/.gitattributes"),
  },
  {
    name: "paths that only look protected, and what a waiver allows",
    language: "config",
    spec: { waivers: [{ gate: "G06", paths: [".github/workflows/ci.yml"], because: "this task moves the build to Node 24" }] },
    policy: { waivers: [{ gate: "G06", paths: [".husky"], because: "the hooks are generated" }] },
    before: { ".github/workflows/ci.yml": "on: push\n" },
    after: { ".github/workflows/ci.yml": "on: pull_request\n", ".husky/pre-commit": "npm test\n", ".github/ISSUE_TEMPLATE/bug.md": "# Bug\n", ".gitignore": "dist\n", ".env.example": "API_KEY=\n", "docs/workflows/ci.yml": "a: 1\n", "src/github/workflows.ts": "export {};\n", "assets/.gitkeep": "" },
    expect: [],
  },
  {
    name: "lockfiles without their manifest",
    language: "config",
    before: { "package-lock.json": "{}\n", "go.sum": "a\n", "Cargo.lock": "a\n", "uv.lock": "a\n", "web/yarn.lock": "a\n" },
    after: { "package-lock.json": '{ "a": 1 }\n', "go.sum": "b\n", "Cargo.lock": "b\n", "uv.lock": "b\n", "web/yarn.lock": "b\n" },
    expect: on("G06", "Cargo.lock", "go.sum", "package-lock.json", "uv.lock", "web/yarn.lock"),
  },
  {
    name: "scripts of a package",
    language: "config",
    before: { "package.json": manifest({ test: "vitest run", build: "tsc" }), "api/composer.json": manifest({ test: "phpunit" }) },
    after: { "package.json": manifest({ test: "true", build: "tsc" }), "api/composer.json": manifest({ test: "phpunit", lint: "x" }), "packages/new/package.json": manifest({ test: "vitest run", postinstall: "node x.js" }) },
    expect: [...at("G06", "api/composer.json", 5), ...at("G06", "package.json", 4), ...at("G06", "packages/new/package.json", 5)],
  },
  {
    name: "dependencies with their lockfile, and a new package",
    language: "config",
    before: { "package.json": manifest({ test: "vitest run" }), "package-lock.json": "{}\n", "go.mod": "module a\n", "go.sum": "a\n", "crates/a/Cargo.toml": "[package]\n", "Cargo.lock": "a\n" },
    after: { "package.json": manifest({ test: "vitest run" }, { dependencies: { zod: "^4.0.0" } }), "package-lock.json": '{ "a": 1 }\n', "go.mod": "module a\n\nrequire b v1.0.0\n", "go.sum": "b\n", "crates/a/Cargo.toml": '[package]\nname = "a"\n', "Cargo.lock": "b\n", "packages/new/package.json": manifest({ test: "vitest run", build: "tsc -b" }) },
    expect: [],
  },
  {
    name: "credentials of many kinds",
    language: "mixed",
    before: {},
    after: {
      "src/a.ts": `const key = "${secret.aws}";\nconst token = "${secret.github}";\nconst hook = "${secret.slack}";\nstripe("${secret.stripe}");\nopen("${secret.openai}");\nmaps("${secret.google}");\nconst password = "${secret.random}";\n`,
      "app/a.py": `API_KEY = "${secret.random}"\nheaders = {"Authorization": "Bearer ${secret.jwt}"}\n`,
      "config.yml": `db: postgres://app:${secret.random}@db.internal.acme.io/app\nclient_secret: ${secret.random}\n`,
      "key.pem": `${keyHead}\n${secret.body}\n`,
      "A.java": `class A {\n    String accessKey = "${secret.random}";\n    String pem = "${keyHead}\\n${secret.body}\\n";\n}\n`,
      "a.go": `package a\n\nvar apiKey = "${secret.random}"\n`,
      "src/lib.rs": `const SECRET_TOKEN: &str = "${secret.random}";\n`,
    },
    expect: [...at("G08", "A.java", 2, 3), ...at("G08", "a.go", 3), ...at("G08", "app/a.py", 1, 2), ...at("G08", "config.yml", 1, 2), ...at("G08", "key.pem", 1), ...at("G08", "src/a.ts", 1, 2, 3, 4, 5, 6, 7), ...at("G08", "src/lib.rs", 1)],
  },
  {
    name: "what only looks like a credential",
    language: "mixed",
    before: { "src/old.ts": `const key = "${secret.aws}";\n` },
    after: {
      "src/moved.ts": `export const key = "${secret.aws}";\n`,
      "src/a.ts": `const token = process.env.GITHUB_TOKEN_V2;\nconst apiKey = config.auth0.clientSecretKey2;\nconst password = await readPasswordFromVault2(name);\nif (text.startsWith("${keyHead}")) load(text);\nconst id = "AKIAIOSFODNN7EXAMPLE";\nconst tokenType = "urn:ietf:params:oauth:token-type:jwt";\nconst secretName = "projects/shop/secrets/stripe-key/versions/3";\nconst passwordPattern = /^(?=.*[A-Z])[A-Za-z0-9]{8,}$/;\nconst cacheTokenKey = "auth.accessToken.v2.storage";\n`,
      "app/a.py": 'password = getpass("Password for the archive: ")\nTOKEN_URL = "https://login.example.org/oauth2/v2.0/token"\nsecret_key = os.environ["DJANGO_SECRET_KEY_2"]\nDATABASE_URL = "postgres://postgres:postgres@localhost:5432/app"\n',
      "docs/setup.md": "Set `API_KEY=your-api-key-here` and open https://user:password@example.com/.\n",
      "locales/de.json": '{\n  "password": "Passwort2024festlegen",\n  "tokenExpired": "Ihr Token ist abgelaufen",\n  "apiKeyPlaceholder": "placeholder"\n}\n',
      "package.json": '{ "name": "a" }\n',
      "package-lock.json": `{\n  "integrity": "sha512-${secret.random}${secret.random}==",\n  "token": "${secret.random}"\n}\n`,
      "src/lib.rs": 'let token = Token::from_str("abc")?;\nlet api_key = env::var("API_KEY_2024_LONG_NAME")?;\n',
      "a.go": 'package a\n\nvar secretRef = "secretKeyRef/name/payment-gateway"\n',
      "A.java": 'class A {\n    String password = System.getenv("DB_PASSWORD_V2_LONG");\n}\n',
    },
    expect: [],
  },
  {
    name: "binaries, products of builds, trees of others and large files",
    language: "files",
    policy: { maxFileBytes: 2000 },
    before: { "data/big.csv": `${"1,2\n".repeat(300)}` },
    after: {
      "data/big.csv": `${"1,2\n".repeat(900)}`,
      "docs/picture.png": "\u0089PNG\0\0",
      "node_modules/a/index.js": "module.exports = 1;\n",
      "vendor/lib/a.go": "package lib\n",
      "web/dist/app.js": "var a=1;\n",
      "coverage/index.html": "<p></p>\n",
      "app/__pycache__/a.cpython-312.pyc": "\0\0\n",
      "src/api.gen.ts": "// Code generated by tool. DO NOT EDIT.\nexport const a = 1;\n",
      "src/App.class": "\u00ca\u00fe\0\n",
      "debug.log": "x\n",
    },
    expect: on("G09", "app/__pycache__/a.cpython-312.pyc", "coverage/index.html", "data/big.csv", "debug.log", "docs/picture.png", "node_modules/a/index.js", "src/App.class", "src/api.gen.ts", "vendor/lib/a.go", "web/dist/app.js"),
  },
  {
    name: "binaries the spec names, generated code with its source, and sources in folders named build",
    language: "files",
    policy: { maxFileBytes: 2000 },
    spec: { modifies: ["**"], creates: ["docs/picture.png", "assets/*.woff2"] },
    before: { "api/post.pb.go": "// Code generated by protoc-gen-go. DO NOT EDIT.\npackage api\n", "data/big.csv": `${"1,2\n".repeat(900)}`, "img/old.png": "\u0089PNG\0\0" },
    after: {
      "docs/picture.png": "\u0089PNG\0\0",
      "assets/a.woff2": "wOF2\0\0",
      "api/post.pb.go": "// Code generated by protoc-gen-go. DO NOT EDIT.\npackage api\n\nvar a = 1\n",
      "api/user.proto": 'syntax = "proto3";\n',
      "api/user.pb.go": "// Code generated by protoc-gen-go. DO NOT EDIT.\npackage api\n",
      "data/big.csv": `${"1,2\n".repeat(901)}`,
      "src/build/compile.ts": "export const a = 1;\n",
      "build/release.sh": "echo release\n",
      "pkg/target/target.go": "package target\n",
      "src/distance.ts": "export const a = 1;\n",
      "package.json": '{ "name": "a" }\n',
      "package-lock.json": `{ "a": "${"x".repeat(4000)}" }\n`,
      "docs/generated-code.md": "Files with the head DO NOT EDIT are written by tools.\n",
    },
    expect: [],
  },
  {
    name: "the shared contract changed by another kind of spec",
    language: "contract",
    spec: { type: "feature" },
    policy: { contracts: ["SHARED.md", "api/**"] },
    before: { "SHARED.md": entry("POST /posts"), "api/old.yaml": "a: 1\n" },
    after: { "SHARED.md": entry("POST /posts") + entry("GET /posts"), "api/new.yaml": "a: 1\n" },
    expect: on("G14", "SHARED.md", "api/new.yaml", "api/old.yaml"),
  },
  {
    name: "entries without examples, in a spec of type contract",
    language: "contract",
    spec: { type: "contract" },
    policy: { contracts: ["SHARED.md"] },
    before: { "SHARED.md": entry("POST /posts") + entry("POST /old", false) },
    after: { "SHARED.md": entry("POST /posts").replace('{ "id": 1 }', "{ id: 1 }") + entry("POST /old", false) + entry("POST /users", false) },
    expect: at("G14", "SHARED.md", 1, 11, 19),
  },
  {
    name: "a contract with its examples, and one that the change leaves alone",
    language: "contract",
    spec: { type: "contract" },
    policy: { contracts: ["SHARED.md", "OTHER.md"] },
    before: { "SHARED.md": entry("POST /posts") + entry("POST /old", false), "OTHER.md": "x\n" },
    after: { "SHARED.md": entry("POST /posts") + entry("POST /old", false) + entry("DELETE /posts/{id}") + entry("event post.created"), "OTHER.md": "x\n", "src/SHARED.md.ts": "export {};\n" },
    expect: [],
  },
];
