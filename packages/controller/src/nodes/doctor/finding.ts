import type { Look } from "./node-facts.ts";

/** What one check of a node says; a remedy stands beside everything that is not as it should be. */
export interface DoctorCheck {
  check: string;
  level: "ok" | "warn" | "fail" | "skip";
  says: string;
  remedy: string | null;
}

export function ok(check: string, says: string): DoctorCheck {
  return { check, level: "ok", says, remedy: null };
}

export function warn(check: string, says: string, remedy: string): DoctorCheck {
  return { check, level: "warn", says, remedy };
}

export function fail(check: string, says: string, remedy: string): DoctorCheck {
  return { check, level: "fail", says, remedy };
}

/** The check of a look that showed nothing, or what `judge` makes of what it showed. */
export function judgeLook<T>(check: string, look: Look<T>, remedy: string, judge: (value: T) => DoctorCheck): DoctorCheck {
  switch (look.kind) {
    case "seen":
      return judge(look.value);
    case "failed":
      return fail(check, look.because, look.hint ?? remedy);
    case "late":
      return fail(check, `took longer than ${look.limitMs / 1000} s`, remedy);
    case "skipped":
      return { check, level: "skip", says: look.because, remedy: null };
  }
}

/** `1.5 GiB` */
export function sizeText(bytes: number): string {
  const gibi = bytes / 2 ** 30;
  return gibi >= 10 ? `${Math.round(gibi)} GiB` : gibi >= 1 ? `${gibi.toFixed(1)} GiB` : `${Math.round(bytes / 2 ** 20)} MiB`;
}
