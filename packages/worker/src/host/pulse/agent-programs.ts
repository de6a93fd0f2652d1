/** An agent CLI, and what its login leaves behind. Only whether these are there is looked at, never what is in them. */
export interface KnownProgram {
  name: string;
  /** Files of its own login: below the folder that a variable names, or else below the home. */
  files: readonly { variable?: string; below: string; path: string }[];
  /** Variables any of which takes the place of a login. */
  variables: readonly string[];
  /** What it means when there is neither: `unknown` where a key chain or a settings file may hold the login. */
  otherwise: "no" | "unknown";
}

const anyProvider = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY"];

export const knownPrograms: readonly KnownProgram[] = [
  {
    name: "claude",
    files: [{ variable: "CLAUDE_CONFIG_DIR", below: ".claude", path: ".credentials.json" }],
    variables: ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"],
    otherwise: process.platform === "darwin" ? "unknown" : "no",
  },
  {
    name: "codex",
    files: [{ variable: "CODEX_HOME", below: ".codex", path: "auth.json" }],
    variables: ["OPENAI_API_KEY", "CODEX_API_KEY"],
    otherwise: "unknown",
  },
  {
    name: "opencode",
    files: [{ variable: "XDG_DATA_HOME", below: ".local/share", path: "opencode/auth.json" }],
    variables: anyProvider,
    otherwise: "unknown",
  },
  {
    name: "gemini",
    files: [{ below: ".gemini", path: "oauth_creds.json" }],
    variables: ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
    otherwise: "no",
  },
  { name: "qwen", files: [{ below: ".qwen", path: "oauth_creds.json" }], variables: ["OPENAI_API_KEY", "DASHSCOPE_API_KEY"], otherwise: "unknown" },
  { name: "pi", files: [{ below: ".pi", path: "agent/auth.json" }], variables: anyProvider, otherwise: "unknown" },
  {
    name: "amp",
    files: [{ variable: "XDG_DATA_HOME", below: ".local/share", path: "amp/secrets.json" }],
    variables: ["AMP_API_KEY"],
    otherwise: "unknown",
  },
  {
    name: "cursor-agent",
    files: [{ variable: "XDG_CONFIG_HOME", below: ".config", path: "cursor/auth.json" }],
    variables: ["CURSOR_API_KEY"],
    otherwise: "unknown",
  },
  { name: "aider", files: [], variables: anyProvider, otherwise: "unknown" },
  {
    name: "goose",
    files: [{ variable: "XDG_CONFIG_HOME", below: ".config", path: "goose/secrets.yaml" }],
    variables: anyProvider,
    otherwise: "unknown",
  },
  { name: "cline", files: [], variables: [], otherwise: "unknown" },
  { name: "kilo", files: [], variables: [], otherwise: "unknown" },
  { name: "crush", files: [], variables: anyProvider, otherwise: "unknown" },
  { name: "copilot", files: [], variables: ["COPILOT_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN"], otherwise: "unknown" },
];

/** Programs that run others: their version says nothing of the agent. */
export const carriers: ReadonlySet<string> = new Set([
  "sh",
  "bash",
  "dash",
  "zsh",
  "env",
  "node",
  "npx",
  "bun",
  "deno",
  "python",
  "python3",
  "uv",
  "uvx",
]);
