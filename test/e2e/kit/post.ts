import type { Scene } from "./scene.ts";

/** A request on the daemon's socket that must go well, where the command line is not what is tested. */
export async function post<T>(scene: Scene, path: string, body?: object): Promise<T> {
  const { status, body: text } = await scene.ask("POST", `/v1/${path}`, body);
  if (status >= 400) throw new Error(`POST ${path} ended with ${status}: ${text}`);
  return JSON.parse(text) as T;
}
