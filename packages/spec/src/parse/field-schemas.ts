import * as z from "zod";
import { didYouMean } from "../suggest-nearest.ts";

/** What zod tells an error function about a value it refused. */
interface Refused {
  readonly input?: unknown;
}

/** A sentence that completes the name of a field: `must be 1..4, got "10"`. */
type Explain = (input: unknown) => string;

export function says(explain: Explain): { error: (refused: Refused) => string } {
  return { error: (refused) => explain(refused.input) };
}

export function mustBe(what: string): { error: (refused: Refused) => string } {
  return says((input) => `must be ${what}, got ${show(input)}`);
}

/** A value as it may stand in a message. */
export function show(input: unknown): string {
  if (typeof input === "string") return input === "" ? "nothing" : `"${input.length > 60 ? `${input.slice(0, 57)}...` : input}"`;
  if (input === null || input === undefined) return "nothing";
  if (Array.isArray(input)) return "a list";
  return typeof input === "object" ? "a map" : String(input);
}

export function lineOf(what: string, maxLength = 500) {
  const rule = mustBe(`${what} on one line`);
  return z
    .string(rule)
    .trim()
    .min(1, rule)
    .max(maxLength, mustBe(`${what} of at most ${maxLength} characters`))
    .regex(/^[^\n]*$/, rule);
}

export function textOf(what: string) {
  return z.string(mustBe(what)).trim().min(1, mustBe(what));
}

/** A list; a single value counts as a list of one. */
export function listOf<T extends z.ZodType>(item: T, what: string) {
  const rule = mustBe(`a list of ${what}`);
  return z.union([item.transform((value) => [value]), z.array(item, rule)], rule);
}

export function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  const choices = values.length === 1 ? values[0] : `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
  return z.enum(
    values,
    says((input) => {
      const near = typeof input === "string" ? didYouMean(input, values) : "";
      return `${show(input)} is unknown${near === "" ? `; use ${choices}` : near}`;
    }),
  );
}

/** A whole number. Front matter reaches the schemas as it was typed, so digits in a text count as well. */
export function wholeNumber(min: number, max: number, rule = mustBe(`a whole number from ${min} to ${max}`)) {
  const fits = z.string(rule).regex(/^\d+$/, rule).transform(Number).pipe(z.int(rule).min(min, rule).max(max, rule));
  return z.union([z.int(rule).min(min, rule).max(max, rule), fits], rule);
}

export function positiveNumber(rule = mustBe("a number above 0")) {
  const fits = z
    .string(rule)
    .regex(/^\d+(\.\d+)?$/, rule)
    .transform(Number)
    .pipe(z.number(rule).positive(rule));
  return z.union([z.number(rule).positive(rule), fits], rule);
}

export function yesOrNo(rule = mustBe("true or false")) {
  return z.union([z.boolean(rule), z.enum(["true", "false"], rule).transform((value) => value === "true")], rule);
}

/** A map of exactly these fields; the optional ones are marked by their schemas. */
export function mapOf<T extends z.core.$ZodLooseShape>(shape: T) {
  const names = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: ({ code, input }) =>
      code === "unrecognized_keys" ? `is not known here; known: ${names}` : `must be a map with ${names}, got ${show(input)}`,
  });
}
