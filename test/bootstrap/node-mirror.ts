import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, realpathSync, symlinkSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";

/** A place on loopback that holds one Node.js, this machine's own, as nodejs.org/dist lays it out. */
export interface NodeMirror {
  readonly url: string;
  readonly version: string;
  /** From now on the sums it names are, or are not, those of what it serves. */
  forge(forged: boolean): void;
  close(): Promise<void>;
}

export async function openNodeMirror(scratch: string): Promise<NodeMirror> {
  const { version, arch } = process;
  const name = `node-${version}-linux-${arch}`;
  const content = packNode(scratch, name);
  const sum = createHash("sha256").update(content).digest("hex");
  let forged = false;
  const files: Readonly<Record<string, () => string | Buffer>> = {
    [`/${version}/SHASUMS256.txt`]: () => `${"0".repeat(64)}  node-${version}.tar.gz\n${forged ? "f".repeat(64) : sum}  ${name}.tar.gz\n`,
    [`/${version}/${name}.tar.gz`]: () => content,
  };
  const server = createServer((request, response) => {
    const file = files[request.url ?? ""];
    response.statusCode = file === undefined ? 404 : 200;
    response.end(file?.());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the mirror has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    version: version.slice(1),
    forge: (now) => {
      forged = now;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The program and its npm, laid out as the official builds are. */
function packNode(scratch: string, name: string): Buffer {
  const folder = join(scratch, name);
  const npm = dirname(dirname(realpathSync(execFileSync("sh", ["-c", "command -v npm"], { encoding: "utf8" }).trim())));
  mkdirSync(join(folder, "bin"), { recursive: true });
  cpSync(realpathSync(process.execPath), join(folder, "bin/node"));
  cpSync(npm, join(folder, "lib/node_modules/npm"), { recursive: true });
  symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(folder, "bin/npm"));
  return execFileSync("sh", ["-c", 'tar -c "$1" | gzip -1', "pack", name], { cwd: scratch, maxBuffer: 2 ** 30 });
}
