/** Remembers why something was closed, and tells everybody once. */
export interface Closing {
  because(): string | undefined;
  close(because: string): void;
  onClose(listener: (because: string) => void): void;
}

export function createClosing(): Closing {
  const listeners: ((because: string) => void)[] = [];
  let closed: string | undefined;
  return {
    because: () => closed,
    close(because) {
      if (closed !== undefined) return;
      closed = because;
      for (const listener of listeners) listener(because);
    },
    onClose(listener) {
      if (closed === undefined) listeners.push(listener);
      else listener(closed);
    },
  };
}
