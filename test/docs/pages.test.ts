// What is served beside the API, as a client without a browser sees it.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { beforeAll, expect, it } from "vitest";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";

let service: Service;

beforeAll(async () => {
  service = await sharedService();
});

it("the front page is JSON for a program and a page for a browser", async () => {
  const forProgram = await fetch(service.url);
  expect((await forProgram.json()) as unknown).toMatchObject({ success: true, data: { healthy: true, docs: "docs" } });
  const forBrowser = await fetch(service.url, { headers: { Accept: "text/html,application/xhtml+xml,*/*;q=0.8" } });
  expect(forBrowser.headers.get("Content-Type")).toMatch(/^text\/html/);
  expect(forBrowser.headers.get("Vary")).toBe("Accept");
});

it.each(["/", "/docs"])("%s asks nothing of anybody else, and its policy allows nothing inline", async (path) => {
  const response = await fetch(service.url + path, { headers: { Accept: "text/html" } });
  const policy = response.headers.get("Content-Security-Policy") ?? "";
  expect(policy).toMatch(/^default-src 'none'; /);
  expect(policy).not.toContain("unsafe");
  const page = await response.text();
  expect(page.match(/(?:src|href)="(?!data:)(?:\/|[a-z]+:)[^"]*"/g)).toBeNull();
  expect(page.match(/ style="| on[a-z]+="|<script>/g)).toBeNull();
});

it("a command on the front page, pasted, creates a job", async () => {
  const page = await (await fetch(service.url, { headers: { Accept: "text/html" } })).text();
  const commands = [...page.matchAll(/<pre[^>]*>(curl[^<]*)<\/pre>/g)].map(([, command = ""]) => unescaped(command));
  expect(commands).toHaveLength(2);
  const tenant = await service.newTenant();
  for (const command of commands) {
    const { stdout } = await promisify(execFile)("sh", ["-c", `KEY=${tenant.apiKey}; ${command} --no-progress-meter`]);
    expect(JSON.parse(stdout)).toMatchObject({ success: true });
  }
});

const unescaped = (html: string): string =>
  html.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&amp;", "&");
