// The pages and the document behind a proxy that serves everything under a path of its own.

import { afterAll, beforeAll, expect, it } from "vitest";
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
  for (const address of addresses) expect([address, (await fetch(address)).status]).toEqual([address, 200]);
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
