export { exitCodeOf, exitCodes } from "./exit-codes.ts";
