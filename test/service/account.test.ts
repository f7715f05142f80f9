// The development account across starts: its key may be the only one there is, and its secret is shown as it is now.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, it, vi } from "vitest";
import { devAccount } from "../../local/account.ts";

const KNOWN = {
  api_key: "chrns_known",
  signing_secret: "whsec_first",
  admin_token: "adm_old",
  url: "http://127.0.0.1:1",
};
const MADE = { id: "1", api_key: "chrns_made", signing_secret: "whsec_made" };

/** A service of which only this matters: what it answers the known key. */
let answer = { status: 200, data: {} as object };
const service = createServer((request, response) => {
  const isCreation = request.url === "/v1/admin/accounts";
  response.writeHead(isCreation ? 201 : answer.status, { "Content-Type": "application/json" });
  response.end(JSON.stringify({ data: isCreation ? MADE : answer.data }));
}).listen(0, "127.0.0.1");
afterAll(() => void service.close());

let folder: string;
const file = () => join(folder, "dev.json");
const read = (path = file()) => JSON.parse(readFileSync(path, "utf8"));
const account = () => devAccount(folder, `http://127.0.0.1:${(service.address() as AddressInfo).port}`, "adm_new");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "chronos-account-"));
  writeFileSync(file(), JSON.stringify(KNOWN));
  vi.spyOn(console, "warn").mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

it("its secret is the newest, whatever was noted down before it was rotated", async () => {
  answer = { status: 200, data: { signing_secret: "whsec_second", previous_signing_secret: "whsec_first" } };
  expect(await account()).toMatchObject({ api_key: "chrns_known", signing_secret: "whsec_second" });
  expect(read()).toEqual(await account());
});

it.each([403, 429, 500, 503])("its key is kept when the service answers %i", async (status) => {
  answer = { status, data: {} };
  expect(await account()).toMatchObject({
    api_key: "chrns_known",
    signing_secret: "whsec_first",
    admin_token: "adm_new",
  });
  expect(read()).toMatchObject({ api_key: "chrns_known" });
  expect(vi.mocked(console.warn).mock.calls.flat().join()).toBe(
    status === 403
      ? "The development account is suspended: its key is refused until you resume it (/v1/admin/accounts)."
      : "",
  );
});

it("a key that the service does not know is put aside, and told of", async () => {
  answer = { status: 401, data: {} };
  expect(await account()).toMatchObject({ api_key: "chrns_made", signing_secret: "whsec_made" });
  expect(read(`${file()}.old`)).toEqual(KNOWN);
  expect(vi.mocked(console.warn).mock.calls.flat().join()).toContain("has an API key that this service does not know");
});

it("a file that is cut anywhere, empty, or not what it should be, is put aside, and a new account made", async () => {
  answer = { status: 200, data: {} };
  const whole = readFileSync(file(), "utf8");
  const cuts = Array.from({ length: whole.length }, (_, length) => whole.slice(0, length));
  for (const text of [...cuts, "null", "[]", "{}", '{"api_key":1}']) {
    writeFileSync(file(), text);
    expect(await account(), text).toMatchObject({ api_key: "chrns_made" });
    expect(readFileSync(`${file()}.old`, "utf8")).toBe(text);
  }
});

it("without a file an account is made, and nothing put aside", async () => {
  rmSync(file());
  expect(await account()).toMatchObject({ api_key: "chrns_made" });
  expect(existsSync(`${file()}.old`)).toBe(false);
  expect(console.warn).not.toHaveBeenCalled();
});
