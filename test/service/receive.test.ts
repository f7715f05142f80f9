// What `npm run receive` says about a signature, also when it was given another state folder than the service.

import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { judgeSignature } from "../../local/signed-by.ts";
import { Receiver } from "../harness/receiver.ts";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";
import { Tenant } from "../harness/tenant.ts";

const BODY = '{"job_id":"1"}';

/** A delivery as the service would sign it. */
function signedWith(secret: string) {
  const signature = createHmac("sha256", secret).update(`e.1.${BODY}`).digest("hex");
  const headers = {
    "x-chronos-delivery-id": "e",
    "x-chronos-timestamp": "1",
    "x-chronos-signature": `sha256=${signature}`,
  };
  return { headers, body: BODY };
}

let service: Service;
let state: string;
let receiver: Receiver;
const elsewhere = mkdtempSync(join(tmpdir(), "chronos-elsewhere-"));
const DEV = { url: "http://127.0.0.1:9", api_key: "chrns_1", signing_secret: "whsec_ours", admin_token: "adm_1" };

beforeAll(async () => {
  [service, receiver] = await Promise.all([sharedService(), Receiver.listen()]);
  state = join(service.folder, "state");
});
afterAll(async () => {
  rmSync(elsewhere, { recursive: true });
  await receiver.close();
});

it("a right signature is right, with the service's folder or another", async () => {
  expect(await judgeSignature(signedWith(service.dev.signing_secret), state)).toBe("signature is right");
  writeFileSync(join(elsewhere, "dev.json"), JSON.stringify(DEV));
  expect(await judgeSignature(signedWith("whsec_ours"), elsewhere)).toBe("signature is right");
});

it("a signature of a service on another folder names both folders", async () => {
  const said = await judgeSignature(signedWith(service.dev.signing_secret), elsewhere);
  expect(said).toMatch(/^SIGNATURE IS NOT OURS/);
  expect(said).toContain(`keeps its state in ${state}, and this receiver looks into ${elsewhere}`);
});

it("a wrong signature, or none, is wrong, and names the folder", async () => {
  const wrong = `SIGNATURE IS WRONG: it was not made with a secret of the account in ${elsewhere}`;
  expect(await judgeSignature(signedWith("whsec_forged"), elsewhere)).toBe(wrong);
  expect(await judgeSignature({ headers: {}, body: "" }, elsewhere)).toBe(wrong);
});

it("without an account, or with a damaged one, it is not checked and says so", async () => {
  const unchecked = `signature is not checked: no account in ${elsewhere} yet. Start the service on that folder`;
  for (const text of ["", '{"url":']) {
    writeFileSync(join(elsewhere, "dev.json"), text);
    expect(await judgeSignature(signedWith("whsec_ours"), elsewhere)).toBe(unchecked);
  }
  rmSync(join(elsewhere, "dev.json"));
  expect(await judgeSignature(signedWith("whsec_ours"), elsewhere)).toBe(unchecked);
});

it("after a rotation deliveries are signed with the old secret, and that is right", async () => {
  const tenant = await service.newTenant();
  const { id, apiKey, signingSecret: old } = tenant;
  const { signing_secret } = await tenant.post<{ signing_secret: string }>("/v1/signing-secret/rotate", {});
  const target = receiver.target();
  await new Tenant({ url: service.url, id, apiKey, signingSecret: old }).create(target.delivery());
  const { headers, body } = await target.receives();
  const dev = { ...DEV, url: service.url, api_key: apiKey, signing_secret };
  writeFileSync(join(elsewhere, "dev.json"), JSON.stringify(dev));
  expect(await judgeSignature({ headers, body: String(body) }, elsewhere)).toBe("signature is right");
});
