// What is served beside the API, as a client without a browser sees it.

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

it("the reference's script comes from here, compressed for those who can read it", async () => {
  const page = await (await fetch(`${service.url}/docs`)).text();
  expect(page.match(/(?:src|href)="(?!data:)(?:\/|[a-z]+:)[^"]*"/g)).toBeNull();
  const zipped = await fetch(`${service.url}/docs/reference.js`, { headers: { "Accept-Encoding": "gzip" } });
  const plain = await fetch(`${service.url}/docs/reference.js`, { headers: { "Accept-Encoding": "identity" } });
  expect([zipped.headers.get("Content-Encoding"), plain.headers.get("Content-Encoding")]).toEqual(["gzip", null]);
  expect(await plain.text()).toBe(await zipped.text());
});
