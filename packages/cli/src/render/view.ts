import type { Paint } from "./paint.ts";

/** What rendering needs to know of the terminal and the time. */
export interface View {
  /** Columns a line may take. */
  columns: number;
  /** ms since the epoch. */
  now: number;
  paint: Paint;
  /** Time of day of a moment in ms since the epoch, `HH:MM:SS`. */
  timeOf(at: number): string;
}
