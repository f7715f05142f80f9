// The floors, served as the service is, in a workerd of their own.

import { join } from "node:path";
import { type Call, sendAll } from "../load.ts";
import { BENCH, freePort, HOST, startModule, stop } from "../processes.ts";
import { momentOf, PAYLOAD, plainId, type System } from "./system.ts";

export interface Floor extends System {
  noop(): Call;
}

export async function startFloor(folder: string): Promise<Floor> {
  const port = await freePort();
  const entry = join(BENCH, "floor/worker.ts");
  const child = await startModule("src/embedded.ts", [join(folder, "state"), String(port), entry], folder);
  const call = (path: string, body: object): Call => ({
    url: `http://${HOST}:${port}${path}`,
    headers: {},
    body: JSON.stringify(body),
  });
  await sendAll([call("/setup", {})], 1);
  return {
    name: "floor: one row, one alarm",
    note: "a bare Worker in the same embedding: one D1 insert, one object armed",
    pids: child.pid === undefined ? [] : [child.pid],
    create: (when, url) => call("/jobs", { due: momentOf(when), url, ...PAYLOAD }),
    idOf: plainId,
    ready: async () => {},
    noop: () => call("/noop", { payload: PAYLOAD }),
    stop: () => stop(child),
  };
}
