// The floors, served as the service is, in a workerd of their own.

import { join } from "node:path";
import { type Call, sendAll } from "../load.ts";
import { BENCH, freePort, HOST, startModule, stop } from "../processes.ts";
import { momentOf, NO_TARGET, PAYLOAD, plainId, type System, type When } from "./system.ts";

/** One row in D1 and one object with its alarm. */
export interface Floor extends System {
  /** A route that does nothing. */
  noop(): Call;
  /** A row and nothing else. */
  row(): Call;
  /** Objects that each hold something; their names. */
  makeBacklog(count: number): Promise<string[]>;
  /** What claiming these costs at least: each object is opened and writes. */
  lease(names: readonly string[]): Call;
  /** What settling them costs at least: each object writes, and then deletes all it has. */
  settle(names: readonly string[]): Call;
}

const WIDTH = 16;

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
  const taskOf = (when: When, url: string) => ({ due: momentOf(when), url, ...PAYLOAD });
  return {
    name: "floor: one row, one alarm",
    note: "a bare Worker in the same embedding: one D1 insert, one object armed",
    pids: child.pid === undefined ? [] : [child.pid],
    create: (when, url) => call("/jobs", taskOf(when, url)),
    createMany: (when, count) =>
      call(
        "/rows/batch",
        Array.from({ length: count }, () => taskOf(when, NO_TARGET)),
      ),
    idOf: plainId,
    ready: async () => {},
    stop: () => stop(child),
    noop: () => call("/noop", { payload: PAYLOAD }),
    row: () => call("/rows", taskOf("tomorrow", NO_TARGET)),
    async makeBacklog(count) {
      const names = Array.from({ length: count }, (_, i) => `backlog ${i}`);
      await sendAll(
        names.map((name) => call("/objects", { ...taskOf("tomorrow", NO_TARGET), id: name })),
        WIDTH,
      );
      return names;
    },
    lease: (names) => call("/lease", { names }),
    settle: (names) => call("/settle", { names }),
  };
}
