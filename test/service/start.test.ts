// What `npm start` says of itself and its machine (design, rule 16).

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { banner } from "../../local/banner.ts";
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

it("the banner's link signs in to the dashboard, as the account that is shown", async () => {
  const link = new URL(/^ {2}Dashboard +(\S+)$/m.exec(service.log)?.[1] ?? "");
  expect([link.origin, link.pathname, link.search]).toEqual([service.url, "/dashboard", ""]);
  const signedIn = await fetch(`${service.url}/dashboard/session`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Origin: service.url },
    body: JSON.stringify({ sign_in: link.hash.replace("#sign-in=", "") }),
  });
  const [cookie = ""] = signedIn.headers.getSetCookie()[0]?.split(";") ?? [];
  const jobs = await fetch(`${service.url}/v1/jobs`, { headers: { Cookie: cookie } });
  expect([signedIn.status, jobs.status]).toEqual([200, 200]);
  expect(service.log.split(link.hash)).toHaveLength(2);
});

it("the banner's curl line, pasted, makes a job that is pushed to npm run receive", async () => {
  const line = /^ {2}(curl .*)$/m.exec(service.log)?.[1];
  const { stdout } = await promisify(execFile)("sh", ["-c", `${line} --no-progress-meter`]);
  const { status, delivery } = JSON.parse(stdout).data;
  expect([status, delivery.http?.url]).toEqual(["pending", "http://127.0.0.1:9000/jobs"]);
});

describe("the banner", () => {
  const account = { url: "http://127.0.0.1:1", api_key: "chrns_1", signing_secret: "whsec_1", admin_token: "adm_1" };
  const lines = (descriptorLimit: number | null) =>
    banner({
      account,
      dashboard: "",
      stateFolder: "/state",
      isOpen: false,
      targets: "any",
      descriptorLimit,
      color: false,
    });

  it("warns of a low descriptor limit, and says nothing of one that will do", () => {
    expect(lines(1_024)).toContain("Only 1024 file descriptors: about 131 jobs may be due at once.");
    expect(lines(4_096)).not.toMatch(/descriptor/i);
    expect(lines(null)).not.toMatch(/descriptor/i);
  });
});

describe("a job cannot call the service itself", () => {
  it.each(["localhost", "127.0.0.1", "127.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "chronos.localhost"])(
    "by %s",
    async (host) => {
      const tenant = await service.newTenant();
      const http = { url: `http://${host}:${new URL(service.url).port}/v1/jobs`, method: "GET" };
      const { status, body } = await tenant.call("POST", "/v1/jobs", { name: "me", delivery: { type: "push", http } });
      expect([status, body.errors]).toEqual([
        422,
        [{ field: "delivery.http.url", message: "Must not be this service itself." }],
      ]);
    },
  );
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
