// The pages and the document behind a proxy that serves everything under a path of its own.

import { globSync } from "node:fs";
import { basename } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { PROJECT } from "../../local/settings.ts";
import { behindPrefix } from "../harness/prefix-proxy.ts";
import { sharedService } from "../harness/shared.ts";

let base: string;
let close: () => void;
beforeAll(async () => {
  ({ base, close } = await behindPrefix((await sharedService()).url));
});
afterAll(() => close?.());

const html = async (path: string) => (await fetch(base + path, { headers: { Accept: "text/html" } })).text();

/** Every address on a page, as a browser on it would resolve it. */
const addressesOn = (page: string, at: string): string[] =>
  [...page.matchAll(/(?:href|src|spec-url)="(?!data:)([^"]*)"/g)].map(([, address = ""]) => new URL(address, at).href);

it.each([
  ["/", 3],
  ["/docs", 2],
])("each address on %s is found there", async (path, least) => {
  const addresses = addressesOn(await html(path), base + path);
  expect(addresses.length).toBeGreaterThanOrEqual(least);
  for (const address of new Set(addresses.map((one) => one.replace(/#.*/, ""))))
    expect([address, (await fetch(address)).status]).toEqual([address, 200]);
});

it("each guide is there, under the name that the index has for it, and so is all that they link to", async () => {
  const index = `${base}/docs/guides`;
  const names = globSync("docs/*.md", { cwd: PROJECT }).map((path) => basename(path, ".md"));
  const pages = new Map<string, string>();
  const waiting = [index];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    if (pages.has(at)) continue;
    const response = await fetch(at, { headers: { Accept: "text/html" } });
    expect([at, response.status]).toEqual([at, 200]);
    pages.set(at, await response.text());
    const links = addressesOn(pages.get(at) ?? "", at).filter((address) => address.startsWith(base));
    for (const address of links) waiting.push(address.replace(/#.*/, ""));
  }
  const guides = [...pages.keys()].filter((at) => at.startsWith(`${index}/`));
  expect(guides.map((at) => at.slice(index.length + 1)).sort()).toEqual(
    names.filter((name) => name !== "README").sort(),
  );
  for (const at of [index, ...guides])
    for (const address of addressesOn(pages.get(at) ?? "", at)) {
      const [page = "", heading] = address.split("#");
      if (heading !== undefined && pages.has(page)) expect(pages.get(page)).toContain(` id="${heading}"`);
    }
});

it("so is each that a program is told", async () => {
  const { data } = (await (await fetch(`${base}/`)).json()) as { data: Record<"docs" | "openapi" | "health", string> };
  for (const address of [data.docs, data.openapi, data.health])
    expect([address, (await fetch(new URL(address, `${base}/`))).status]).toEqual([address, 200]);
});

it("the document's server is where the document is", async () => {
  const at = `${base}/openapi.json`;
  const { servers } = (await (await fetch(at)).json()) as { servers: { url: string }[] };
  expect(servers.map(({ url }) => new URL(url, at).href)).toEqual([`${base}/`]);
});
