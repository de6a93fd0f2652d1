/** Why a symlink at `path` (repository-relative) with this target is not safely inside the repository; undefined when it is. */
export function symlinkEscape(path: string, target: string): string | undefined {
  if (target.startsWith("/") || target.startsWith("\\") || /^[A-Za-z]:[\\/]/.test(target)) return "the target is absolute";
  const steps = target.split("/").filter((step) => step !== "" && step !== ".");
  const folder = path.split("/").slice(0, -1);
  let named = false;
  for (const step of steps) {
    if (step !== "..") {
      named = true;
      folder.push(step);
      continue;
    }
    // After a name, `..` goes to the parent of where that name leads, and the name may itself be a link.
    if (named) return "the target goes back up after a name, so where it leads cannot be told";
    if (folder.pop() === undefined) return "the target is outside the repository";
  }
  if (folder[0]?.toLowerCase() === ".git") return "the target is inside .git";
  return undefined;
}
