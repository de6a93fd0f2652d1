import { Transform } from "node:stream";
import { beginMark } from "./remote-command.ts";

/** The output of a program without what came before its mark. */
export interface Preamble {
  stream: Transform;
  /** Resolves with true at the mark, with false at an end without one. */
  began: Promise<boolean>;
  /** What came before the mark, its end only. */
  said(): string;
}

const keptBytes = 2000;

/** `onBytes` is called for every piece that comes, also before the mark. */
export function skipPreamble(onBytes: () => void = () => {}): Preamble {
  const mark = Buffer.from(`${beginMark}\n`);
  let before = Buffer.alloc(0);
  let begun = false;
  let tell = (_: boolean): void => {};
  const began = new Promise<boolean>((resolve) => {
    tell = resolve;
  });
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      onBytes();
      if (begun) return done(null, chunk);
      before = Buffer.concat([before, chunk]);
      const at = before.indexOf(mark);
      if (at === -1) {
        before = before.subarray(-keptBytes);
        return done();
      }
      begun = true;
      const rest = before.subarray(at + mark.length);
      before = before.subarray(0, at);
      tell(true);
      return rest.length > 0 ? done(null, rest) : done();
    },
    flush(done) {
      tell(begun);
      done();
    },
  });
  stream.once("close", () => tell(begun));
  return { stream, began, said: () => before.toString("utf8").trim() };
}
