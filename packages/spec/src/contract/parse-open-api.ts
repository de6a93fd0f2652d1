import { type ContractAnchor, type ContractReading, canonicalJson, contentDigest } from "@dispatch/core";
import { isMap, isScalar, LineCounter, parseDocument } from "yaml";

type Plain = Readonly<Record<string, unknown>>;
const methods = ["get", "post", "put", "patch", "delete", "head", "options"] as const;
const maxReferences = 2000;

/** The endpoints of an OpenAPI document, as YAML or JSON; schemas of its components are types. Never throws. */
export function parseOpenApi(text: string): ContractReading {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, prettyErrors: false, logLevel: "silent" });
  const wrong = document.errors[0];
  if (wrong !== undefined) return refused(lines.linePos(wrong.pos[0]).line, wrong.message.split("\n")[0] ?? "");
  let root: Plain;
  try {
    root = plain(document.toJS({ maxAliasCount: 100 }));
  } catch {
    return refused(1, "its aliases expand too far");
  }
  const lineOf = (path: readonly string[]): number => {
    let node: unknown = document.contents;
    let line = 1;
    for (const key of path) {
      if (!isMap(node)) return line;
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
      if (pair === undefined) return line;
      if (isScalar(pair.key) && pair.key.range != null) line = lines.linePos(pair.key.range[0]).line;
      node = pair.value;
    }
    return line;
  };
  return { anchors: [...endpoints(root, lineOf), ...types(root, lineOf)], problems: [] };
}

function refused(line: number, said: string): ContractReading {
  return { anchors: [], problems: [{ line, code: "yaml", message: `the file cannot be read: ${said}` }] };
}

function endpoints(root: Plain, lineOf: (path: readonly string[]) => number): ContractAnchor[] {
  return Object.entries(plain(root["paths"])).flatMap(([path, item]) =>
    methods.flatMap((method): ContractAnchor[] => {
      const operation = plain(item)[method];
      if (operation === undefined) return [];
      const whole = plain(resolve(operation, root));
      const anchor = `${method.toUpperCase()} ${path}`;
      const bodyless = whole["requestBody"] === undefined;
      const responses = Object.values(plain(whole["responses"]));
      return [
        {
          anchor,
          line: lineOf(["paths", path, method]),
          request: bodyless || hasExample(plain(whole["requestBody"])),
          response: responses.some((response) => hasExample(plain(response))),
          digest: contentDigest(`${anchor}\n${canonicalJson([plain(item)["parameters"], whole])}`),
        },
      ];
    }),
  );
}

function types(root: Plain, lineOf: (path: readonly string[]) => number): ContractAnchor[] {
  return Object.entries(plain(plain(root["components"])["schemas"])).map(([name, schema]) => {
    const whole = plain(resolve(schema, root));
    return {
      anchor: `type ${name}`,
      line: lineOf(["components", "schemas", name]),
      request: true,
      response: whole["example"] !== undefined || whole["examples"] !== undefined,
      digest: contentDigest(`type ${name}\n${canonicalJson(whole)}`),
    };
  });
}

/** An example of a media type, or of its schema as a whole. */
function hasExample(body: Plain): boolean {
  return Object.values(plain(body["content"])).some((media) => {
    const { example, examples, schema } = plain(media);
    const { example: inSchema, examples: inSchemas } = plain(schema);
    return [example, examples, inSchema, inSchemas].some((value) => value !== undefined);
  });
}

function plain(value: unknown): Plain {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Plain) : {};
}

/** The value with its `#/…` references put in; one that leads to itself stays a reference. */
function resolve(value: unknown, root: Plain): unknown {
  let left = maxReferences;
  const walk = (node: unknown, open: readonly string[]): unknown => {
    if (Array.isArray(node)) return node.map((item) => walk(item, open));
    if (typeof node !== "object" || node === null) return node;
    const target = plain(node)["$ref"];
    if (typeof target === "string" && target.startsWith("#/") && !open.includes(target) && left > 0) {
      left -= 1;
      return walk(lookUp(root, target), [...open, target]);
    }
    return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, walk(item, open)]));
  };
  return walk(value, []);
}

function lookUp(root: Plain, reference: string): unknown {
  let node: unknown = root;
  for (const part of reference.slice(2).split("/")) node = plain(node)[part.replaceAll("~1", "/").replaceAll("~0", "~")];
  return node;
}
