import type { ChangeCase } from "./case.ts";
import { compiledCases } from "./compiled.ts";
import { pythonCases } from "./python.ts";
import { scriptCases } from "./script.ts";
import { structureCases } from "./structure.ts";
import { surroundingCases } from "./surroundings.ts";
import { tamperingCases } from "./tampering.ts";
import { textCases } from "./texts.ts";

export { aSpec, type ChangeCase, type FileText, type Tree } from "./case.ts";

/** Changes, good and bad, with the findings expected of each. */
export const changeCases: readonly ChangeCase[] = [...scriptCases, ...pythonCases, ...compiledCases, ...textCases, ...structureCases, ...tamperingCases, ...surroundingCases];
