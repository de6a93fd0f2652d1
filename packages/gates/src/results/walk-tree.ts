/** The titles above each line of an indented list: what stands less deep and came last. */
export interface Tree {
  /** Opens a group; what stands deeper belongs to it. */
  open(indent: number, title: string): void;
  /** The groups that hold a line of this depth. */
  above(indent: number): string[];
  /** Closes the group of this depth if it bears the title; groups say their own result so. */
  close(indent: number, title: string): boolean;
  clear(): void;
}

const maxDepth = 50;

export function createTree(): Tree {
  let groups: { indent: number; title: string }[] = [];
  const cutTo = (indent: number): void => {
    while ((groups.at(-1)?.indent ?? -1) >= indent) groups.pop();
  };
  return {
    open(indent, title) {
      cutTo(indent);
      if (groups.length < maxDepth) groups.push({ indent, title });
    },
    above(indent) {
      cutTo(indent);
      return groups.map((group) => group.title);
    },
    close(indent, title) {
      cutTo(indent + 1);
      const last = groups.at(-1);
      if (last?.indent !== indent || last.title !== title) return false;
      groups.pop();
      return true;
    },
    clear() {
      groups = [];
    },
  };
}
