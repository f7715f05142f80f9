// What comes to a public port: broken uploads, odd methods and hosts, terminal escapes. None of it is a fault of ours, and
// none of it reaches the log as anything but one line of text.

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { sendRaw, statusOf } from "../harness/raw.ts";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";
import type { Tenant } from "../harness/tenant.ts";
import { until } from "../harness/until.ts";

let service: Service;
let tenant: Tenant;
beforeAll(async () => {
  service = await sharedService();
  tenant = await service.newTenant();
});

type Line = Record<"level" | "event" | "method" | "path" | "code", string> & { account_id?: string; status: number };

const lines = (): Line[] =>
  service.log
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));

const upload = (headers: string, body: string, method = "POST") =>
  `${method} /v1/jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${tenant.apiKey}\r\n` +
  `Content-Type: application/json\r\n${headers}\r\n\r\n${body}`;

describe("an upload that breaks", () => {
  const broken = [
    ["has a malformed chunk", "Transfer-Encoding: chunked", "zz\r\n{}\r\n0\r\n\r\n", undefined],
    ["is closed before its announced end", "Content-Length: 100", '{"name', "half-close"],
    ["is left before its announced end", "Content-Length: 100", '{"name', "leave"],
    ["is left between two chunks", "Transfer-Encoding: chunked", '6\r\n{"name\r\n', "leave"],
  ] as const;

  it.each(broken)("and %s is the client's fault: 400, at info", async (_, headers, body, ending) => {
    const own = await service.newTenant();
    const text = upload(headers, body).replace(tenant.apiKey, own.apiKey);
    const answer = await sendRaw(service.url, text, ending);
    if (ending !== "leave") expect(statusOf(answer)).toBe(400);
    const ofThis = () => lines().filter((line) => line.event === "request" && line.account_id === own.id);
    await until(
      () => ofThis().length > 0,
      10_000,
      () => "The log lacks the request",
    );
    expect(ofThis()).toMatchObject([{ level: "info", status: 400, code: "bad_request" }]);
    expect(lines().filter(({ event }) => event === "request_fault")).toEqual([]);
  });

  it("with a GET is, too", async () => {
    const answer = await sendRaw(service.url, upload("Content-Length: 100", "{", "GET"), "half-close");
    expect(statusOf(answer)).toBe(400);
  });
});

describe("an odd method", () => {
  it.each(["TRACE", "PROPFIND", "PURGE", "OPTIONS", "LOCK"])("%s is 405 at a known path", async (method) => {
    expect(statusOf(await sendRaw(service.url, `${method} /v1/jobs HTTP/1.1\r\nHost: x\r\n\r\n`))).toBe(405);
  });

  it.each([
    ["of its own", "FOO"],
    ["in lower case", "get"],
    ["without end", "X".repeat(5_000)],
  ])("%s is 501, by the platform", async (_, method) => {
    expect(statusOf(await sendRaw(service.url, `${method} /v1/jobs HTTP/1.1\r\nHost: x\r\n\r\n`))).toBe(501);
  });

  it("CONNECT opens no tunnel, and is no exception in the log", async () => {
    for (const target of ["example.com:443", "/v1/jobs"]) {
      const answer = await sendRaw(service.url, `CONNECT ${target} HTTP/1.1\r\nHost: example.com:443\r\n\r\n`);
      expect(statusOf(answer)).toBeGreaterThanOrEqual(400);
    }
    // Once this request has its line, those before it would have had theirs.
    const mark = `/after-connect-${Date.now()}`;
    await fetch(service.url + mark);
    await until(
      () => service.log.includes(mark),
      10_000,
      () => "The log lacks the request",
    );
    const said = service.log.split("\n").filter((line) => !line.startsWith("{"));
    expect(said.filter((line) => /exception|connect\(\)/i.test(line))).toEqual([]);
  });
});

describe("a host or path that makes no URL", () => {
  it.each([
    ["GET /v1/jobs", "a b<>"],
    ["GET /v1/jobs", "[::1"],
    ["GET /v1/jobs", "x:99999"],
    ["GET /health", "%zz"],
    ["GET /v1/jobs", "a?b"],
    ["GET /v1/jobs", "a#b"],
    ["GET /v1/jobs", "a/v1/jobs\x1b[2J?"],
    ["OPTIONS *", "localhost:1"],
  ])("is 400: %s, Host: %j", async (start, host) => {
    const answer = await sendRaw(service.url, `${start} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    expect(statusOf(answer)).toBe(400);
    expect(answer).toContain('"code":"bad_request"');
    const id = /^x-request-id: (.*)$/im.exec(answer)?.[1]?.trim() ?? "none";
    await until(
      () => service.log.includes(id),
      10_000,
      () => "The log lacks the request",
    );
    expect(service.log.split(id)).toHaveLength(2);
    expect(service.log).not.toContain('"event":"request_fault"');
  });
});

it("a path's escapes are logged as they were sent", async () => {
  const path = `/x${Date.now()}%1b%5b2J%0a18:00:00.000Z%C2%9B%E2%80%AE`;
  expect(statusOf(await sendRaw(service.url, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`))).toBe(404);
  await until(
    () => lines().some((line) => line.path === path),
    10_000,
    () => "The log lacks the path",
  );
});

describe.runIf(process.platform === "linux")("the ports of the service", () => {
  /** What a process listens on, as the kernel tells it. */
  const portsOf = (pid: number): number[] => {
    const sockets = readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        return "";
      }
    });
    const LISTEN = "0A";
    return readFileSync("/proc/net/tcp", "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode]) => state === LISTEN && sockets.includes(`socket:[${inode}]`))
      .map(([, local = ""]) => Number.parseInt(local.split(":")[1] ?? "", 16));
  };

  it("ring the cron for nobody", async () => {
    const ports = portsOf(service.workerdPid);
    expect(ports).toContain(Number(new URL(service.url).port));
    for (const port of ports)
      for (const path of ["/cdn-cgi/local/scheduled", "/cdn-cgi/handler/scheduled", "/cdn-cgi/mf/scheduled"]) {
        const { status } = await fetch(`http://127.0.0.1:${port}${path}?cron=*+*+*+*+*`);
        expect([port, path, status]).toEqual([port, path, 404]);
      }
    expect(ports.length).toBeGreaterThan(1);
  });

  it("and the service rings its own", () => {
    expect(service.log).not.toContain("cron_failed");
  });
});
