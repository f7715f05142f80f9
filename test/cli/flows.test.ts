// Flows from the terminal, against the real service.

import { beforeAll, expect, it } from "vitest";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";
import { cliOf } from "./terminal.ts";

let service: Service;
beforeAll(async () => {
  service = await sharedService();
});

it("are set, listed, paused, resumed and deleted, several at once", async () => {
  const tenant = await service.newTenant();
  const cli = cliOf(tenant);
  expect(await cli("flows", "list")).toEqual({ code: 0, out: "No flows.", err: "" });
  const limits = ["--concurrency", "5", "--rate", "100/1m", "--breaker", "10", "--breaker-pause", "5m"];
  const put = await cli("flows", "put", "mail", ...limits, "--json");
  expect([put.code, put.err]).toEqual([0, ""]);
  const written = JSON.parse(put.out);
  expect(written).toEqual(await tenant.get("/v1/flows/mail"));
  expect(written).toMatchObject({
    concurrency: 5,
    rate: { limit: 100, period: { value: 1, unit: "minute" } },
    breaker: { failures: 10, pause: { value: 5, unit: "minute" } },
  });
  await cli("flows", "put", "a/b", "--rate", "10/s");
  expect((await tenant.get<{ rate: object }>("/v1/flows/a%2Fb")).rate).toEqual({
    limit: 10,
    period: { value: 1, unit: "second" },
  });
  expect((await cli("flows", "pause", "mail", "a/b")).out).toBe("mail  paused\na/b  paused");
  expect((await cli("flows", "list")).out).toMatch(/^mail +paused +0 +0 +5 +100 per minute$/m);
  expect((await cli("flows", "get", "mail")).out).toMatch(
    /^breaker +pauses for 5 minutes after 10 failures in a row$/m,
  );
  expect((await cli("flows", "resume", "mail")).out).toBe("mail  open");
  const gone = await cli("flows", "delete", "mail", "nobody", "a/b");
  expect(gone).toEqual({ code: 3, out: "mail  deleted\na/b  deleted", err: expect.stringMatching(/^error: nobody: /) });
});

it("say what is wrong with a limit, here or there", async () => {
  const cli = cliOf(await service.newTenant());
  const line = async (...args: string[]) => {
    const { code, err } = await cli("flows", "put", "mail", ...args);
    return [code, err.split("\n")[0]];
  };
  expect(await line("--rate", "100")).toEqual([2, expect.stringContaining("such as 100/1m")]);
  expect(await line("--breaker", "3")).toEqual([2, "error: --breaker and --breaker-pause go together"]);
  expect(await line("--concurrency", "0")).toEqual([2, expect.stringMatching(/^error: concurrency: /)]);
});
