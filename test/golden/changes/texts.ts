import type { ChangeCase } from "./case.ts";

const at = (path: string, ...lines: number[]) => lines.map((line) => ({ gate: "G02", path, line }) as const);

/** Markup, styles, configuration and documentation. */
export const textCases: readonly ChangeCase[] = [
  {
    name: "placeholder as an attribute and a pseudo element",
    language: "html",
    before: {},
    after: {
      "index.html": '<input type="text" placeholder="Title">\n<!-- The form -->\n<a href="https://placeholder.com/150">x</a>\n',
      "app.css": "/* Placeholder */\ninput::placeholder { color: gray; }\n.box:placeholder-shown { opacity: 1; }\n",
      "App.vue": '<template><el-input :placeholder="label" /></template>\n<script setup>\ndefineProps({ placeholder: String });\n</script>\n',
    },
    expect: [],
  },
  {
    name: "marks in markup, styles, shell, YAML and SQL",
    language: "mixed",
    before: {},
    after: {
      "index.html": "<!-- TODO: add the footer -->\n<p>text</p>\n",
      "app.css": "a { color: red; } /* FIXME contrast */\n",
      "run.sh": "#!/bin/sh\n# TODO check arguments\nmktemp /tmp/a.XXXXXX\n",
      "ci.yml": "name: ci # FIXME\ndescription: TODO\nstatus: TODO\nurl: http://x/#TODO\n",
      "a.sql": "select 1; -- TODO index\n",
      "package.json": '{\n  "name": "posts",\n  "description": "TODO"\n}\n',
      "notes.conf": "# placeholder\nmode = fast\n",
      Makefile: "all: # HACK\n",
    },
    expect: [...at("Makefile", 1), ...at("a.sql", 1), ...at("app.css", 1), ...at("ci.yml", 1, 2), ...at("index.html", 1), ...at("notes.conf", 1), ...at("package.json", 3), ...at("run.sh", 2)],
  },
  {
    name: "documentation with gaps",
    language: "markdown",
    before: {},
    after: { "README.md": "# Posts\n\nTODO: describe the API\n\n- [ ] FIXME\n\n## Usage\n\nPlaceholder\n\nNot implemented yet.\n\n待实现\n" },
    expect: at("README.md", 3, 5, 9, 11, 13),
  },
  {
    name: "documentation that talks about marks, stubs and limits",
    language: "markdown",
    before: {},
    after: {
      "README.md": 'A simple TODO app. The gate looks for `TODO` and `FIXME`.\nSee TODO.md. Files hold no TODO comments.\nReplace the placeholder with your key; `placeholder="Search"` is an attribute.\nRenames are not implemented by the parser.\n\n```python\ndef f():\n    pass\n```\n\n```ts\nexport function later() {}\n```\n',
      "CHANGELOG.md": "- `todo!()` is gone\n- Input: style of the placeholder text\n",
    },
    expect: [],
  },
  {
    name: "files that tools write",
    language: "generated",
    before: {},
    after: { "package-lock.json": '{ "x": "TODO" }\n', "yarn.lock": "# TODO\n", "dist/app.min.js": "// TODO\n", "api.pb.go": 'panic("not implemented")\n', "__snapshots__/a.snap": "TODO\n" },
    expect: [
      { gate: "G06", path: "package-lock.json" },
      { gate: "G06", path: "yarn.lock" },
      { gate: "G09", path: "dist/app.min.js" },
    ],
  },
];
