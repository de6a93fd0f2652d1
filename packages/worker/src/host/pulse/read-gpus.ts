import type { GpuPulse } from "@dispatch/protocol";
import { askProgram, findProgram } from "../../process/ask-program.ts";
import { allowedEnvironment } from "../../process/environment.ts";

const query = ["--query-gpu=name,memory.total,memory.free,utilization.gpu", "--format=csv,noheader,nounits"];

/** The graphics cards of the machine; none where there is no nvidia-smi, or where it does not answer. */
export async function readGpus(cwd: string): Promise<readonly GpuPulse[]> {
  const env = allowedEnvironment();
  const found = findProgram("nvidia-smi", env["PATH"] ?? "", cwd);
  if ("problem" in found) return [];
  const answer = await askProgram({ argv: [found.file, ...query], cwd, env: { ...env, LC_ALL: "C" }, timeoutMs: 10_000 });
  return answer?.code === 0 ? parseGpus(answer.text) : [];
}

/** Lines of `name, total MiB, free MiB, percent`. What a card does not tell counts as 0. */
export function parseGpus(text: string): GpuPulse[] {
  return text.split("\n").flatMap((line) => {
    const fields = line.split(",").map((field) => field.trim());
    if (fields.length < 4) return [];
    const [total, free, busy] = fields.slice(-3).map((field) => (/^\d+(\.\d+)?$/.test(field) ? Number(field) : 0));
    const name = fields.slice(0, -3).join(", ");
    return [{ name, totalMemoryMb: total ?? 0, freeMemoryMb: free ?? 0, busyPercent: busy ?? 0 }];
  });
}
