// One server at a time on a state folder, however the one before ended, and whether or not its processes can be seen: in
// another container they cannot. The tests take run.json away, so that no pid tells anything.

import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { isAlive, treeOf } from "../../harness/process-tree.ts";
import { OwnService, type OwnServiceOptions } from "../../harness/service.ts";
import { FULL_SIZE } from "../../harness/size.ts";
import { until } from "../../harness/until.ts";

/** What cannot clean up after a SIGKILL is killed by someone else within this. */
const SOON_MS = 5_000;

const services: OwnService[] = [];
afterEach(() => Promise.all(services.splice(0).map((service) => service.stop())));

function begin(options: OwnServiceOptions = {}): OwnService {
  const service = new OwnService(options);
  services.push(service);
  return service;
}

const start = { command: [process.execPath, "--no-warnings", "local/start.ts"] };
const dev = { command: [process.execPath, "--no-warnings", "local/dev.ts"] };

const serverOf = (service: OwnService): number => {
  const server = service.processes.find((pid) => /local\/(start|dev)\.ts/.test(commandLine(pid).split("\0")[2] ?? ""));
  return server ?? 0;
};
const keeperOf = (service: OwnService): number =>
  service.processes.find((pid) => commandLine(pid).includes("local/keeper.ts")) ?? 0;
const commandLine = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, "utf8");

const runFile = (service: OwnService): string => join(service.folder, "state/run.json");

it("a second server does not start, though it can see no process of the first", async () => {
  const first = await begin(start).ready();
  writeFileSync(runFile(first), JSON.stringify({ pid: 4_194_304, born: "1", children: [] }));
  const second = begin({ ...start, folder: first.folder });
  expect(await second.ended()).toBe(1);
  expect(second.log).toContain(`Another server already uses ${join(first.folder, "state")}`);
  expect((await fetch(`${first.url}/health`)).status).toBe(200);
});

it("of three that start together on the lock of a dead one, one serves and two say why not", async () => {
  const dead = begin(start);
  await until(
    () => existsSync(runFile(dead)),
    30_000,
    () => dead.log,
  );
  process.kill(serverOf(dead), "SIGKILL");
  await dead.ended();
  writeFileSync(runFile(dead), JSON.stringify({ pid: 4_194_304, born: "1", children: [] }));

  const rivals = [1, 2, 3].map(() => begin({ ...start, folder: dead.folder }));
  const isDecided = (one: OwnService) => /already uses|Chronos is running/.test(one.log);
  await until(
    () => rivals.every(isDecided),
    60_000,
    () => rivals.map((one) => one.log).join("\n"),
  );
  expect(rivals.filter((one) => one.log.includes("Chronos is running")).length).toBe(1);
  expect(rivals.filter((one) => one.log.includes("already uses")).length).toBe(2);
});

describe.each([
  ["npm start", start],
  ["npm run dev", dev],
])("a killed %s", (_, command) => {
  it("leaves no process behind, and the next one serves", async () => {
    const service = await begin(command).ready();
    const begun = treeOf(serverOf(service));
    expect(begun.length).toBeGreaterThanOrEqual(3);
    process.kill(serverOf(service), "SIGKILL");
    rmSync(runFile(service));
    await until(
      () => !begun.some(isAlive),
      SOON_MS,
      () => `Left behind: ${begun.filter(isAlive).map(commandLine)}`,
    );
    service.start();
    await service.ready();
  });
});

it("a wrangler that is killed leaves no workerd behind", async () => {
  const service = await begin(dev).ready();
  const begun = treeOf(serverOf(service));
  const wrangler = begun.find((pid) => commandLine(pid).includes("wrangler")) ?? 0;
  process.kill(wrangler, "SIGKILL");
  expect(await service.ended()).toBe(1);
  await until(
    () => !begun.some(isAlive),
    SOON_MS,
    () => `Left behind: ${begun.filter(isAlive).map(commandLine)}`,
  );
});

it("a server whose lock is lost stops", async () => {
  const service = await begin(start).ready();
  process.kill(keeperOf(service), "SIGKILL");
  expect(await service.ended()).toBe(1);
  expect(service.log).toContain(`The lock of ${join(service.folder, "state")} is lost`);
});

/** `npm run test:workers` tries them all. */
const MOMENTS_MS = FULL_SIZE ? [150, 300, 450, 600, 750, 900, 1_100] : [300, 900];

it("killed at any moment of its first second, it has left nobody when the next one takes over, and that one starts", async () => {
  const service = begin(start);
  const pidInRun = () => (existsSync(runFile(service)) ? JSON.parse(readFileSync(runFile(service), "utf8")).pid : 0);
  for (const afterMs of MOMENTS_MS) {
    await until(
      () => serverOf(service) !== 0,
      10_000,
      () => "It was not started",
    );
    await sleep(afterMs); // real time: another process's start is what is killed
    const begun = service.processes.filter((pid) => pid !== keeperOf(service));
    process.kill(serverOf(service), "SIGKILL");
    await service.ended();
    service.start();
    await until(
      () => serverOf(service) !== 0 && pidInRun() === serverOf(service),
      20_000,
      () => service.log,
    );
    expect(begun.filter(isAlive).map(commandLine)).toEqual([]);
  }
  await service.ready();
});
