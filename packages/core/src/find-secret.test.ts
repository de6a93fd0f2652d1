import { expect, test } from "vitest";
import { findSecret } from "./find-secret.ts";

const random = "Zk81mQp0xR7tLw3vNc5bYh2d";
const head = ["-----BEGIN", "PRIVATE KEY-----"].join(" ");
const body = "MIIEpAIBAAKCAQEA7Zk81mQp0xR7tLw3vNc5bYh2dQ9fK2mZ81xQpL0vTr7YwB3n";

test.each<[string, Parameters<typeof findSecret>, string | undefined]>([
  ["a private key with its body below", [head, { next: body }], "a private key"],
  ["a private key in one string", [`"${head}\\n${body}"`], "a private key"],
  ["a program that looks for the header", [`if (text.includes("${head}")) return;`, { next: "  load(text);" }], undefined],
  ["a password in an address", [`postgres://app:${random}@db.acme.io/app`], "a password in a URL"],
  ["an address of one's own machine", [`postgres://app:${random}@localhost:5432/app`], undefined],
  ["a value behind a name", [`api_key: ${random}`], "api_key"],
  ["an expression, where values are quoted", [`const apiKey = ${random};`, { quoted: true }], undefined],
  ["a quoted value", [`const apiKey = "${random}";`, { quoted: true }], "apiKey"],
  ["the name of a thing", [`token: "auth.accessToken.v2.storage"`], undefined],
  ["a digest", [`token: ${"0123456789abcdef".repeat(4)}`], undefined],
])("%s", (_, given, what) => {
  expect(findSecret(...given)?.what).toBe(what);
});
