// What `npm start` says of itself and its machine (design, rule 16).

import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { bearableBurst, descriptorWarning } from "../../local/descriptors.ts";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";

let service: Service;
beforeAll(async () => {
  service = await sharedService();
});

it("the banner names the reference", () => {
  expect(service.log).toContain(`${service.url}/docs`);
});

it("the banner's curl line, pasted, makes a job that is pushed to npm run receive", async () => {
  const line = /^ {2}(curl .*)$/m.exec(service.log)?.[1];
  const { stdout } = await promisify(execFile)("sh", ["-c", `${line} --no-progress-meter`]);
  const { status, delivery } = JSON.parse(stdout).data;
  expect([status, delivery.http?.url]).toEqual(["pending", "http://127.0.0.1:9000/jobs"]);
});

it("the banner tells how many jobs may be due in one instant, by the limit of this machine", () => {
  const limit = Number(spawnSync("sh", ["-c", "ulimit -n"]).stdout);
  const burst = Math.floor((limit - 500) / 4).toLocaleString("en");
  expect(service.log).toContain(`${limit.toLocaleString("en")}: bears about ${burst} jobs due in one instant`);
});

describe("a descriptor limit of", () => {
  it.each([
    [20_000, 4_875],
    [4_096, 899],
    [1_024, 131],
    [256, 0],
  ])("%i bears %i jobs", (limit, jobs) => {
    expect(bearableBurst(limit)).toBe(jobs);
  });

  it("4,095 and less is warned of, 4,096 and none is not", () => {
    expect(descriptorWarning(4_095)).toContain("about 898 jobs may be due at once");
    expect([descriptorWarning(4_096), descriptorWarning(null)]).toEqual([null, null]);
  });
});
