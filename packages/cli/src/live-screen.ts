import { redraw } from "./render/redraw.ts";

/** A frame at the bottom of the terminal that is drawn over in place. */
export interface LiveScreen {
  draw(lines: readonly string[]): void;
  /** Leaves the last frame on the screen and gives the cursor back. */
  close(): void;
}

const hideCursor = "\x1b[?25l";
const showCursor = "\x1b[?25h";
const clearAll = "\x1b[2J\x1b[H";

export function openLiveScreen(stdout: NodeJS.WriteStream): LiveScreen {
  let shown = 0;
  let resized = false;
  const onResize = () => {
    resized = true;
  };
  const giveBack = () => stdout.write(showCursor);
  stdout.on("resize", onResize);
  process.on("exit", giveBack);
  stdout.write(hideCursor);
  return {
    draw(lines) {
      // After a change of size lines have wrapped anew, and nobody knows how many there are above the cursor.
      stdout.write(resized ? clearAll + redraw(0, lines) : redraw(shown, lines));
      resized = false;
      shown = lines.length;
    },
    close() {
      stdout.off("resize", onResize);
      process.off("exit", giveBack);
      giveBack();
    },
  };
}
