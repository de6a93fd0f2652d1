import { invariant } from "@dispatch/core";
import type BetterSqlite3 from "better-sqlite3";
import { is, Param, Placeholder, type Query } from "drizzle-orm";

/** A statement that is ready to run with a value for each of its placeholders. */
export interface PreparedWrite<Name extends string> {
  run(values: Readonly<Record<Name, string | number | null>>): void;
}

/**
 * Prepares what drizzle built. Only the binding is done here: drizzle's own looks at the class of every
 * parameter in each call, which on the hot path costs as much as the encoding of the row.
 */
export function prepareWrite<Name extends string>(sqlite: BetterSqlite3.Database, query: { toSQL(): Query }): PreparedWrite<Name> {
  const { sql, params } = query.toSQL();
  const names = params.map((param) => nameOf(param) as Name);
  const statement = sqlite.prepare(sql);
  return {
    run(values) {
      statement.run(...names.map((name) => values[name]));
    },
  };
}

function nameOf(param: unknown): string {
  const placeholder = is(param, Param) ? param.value : param;
  invariant(is(placeholder, Placeholder), "a hot statement has a value where it should have a placeholder");
  return placeholder.name;
}
