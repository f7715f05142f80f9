// Nobody gets in with a key that is almost right, on the real wire: cut, padded, in other letters, empty, doubled, revoked.

import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Service } from "../../harness/service.ts";
import { PatientTenant } from "../harness/patient-tenant.ts";
import type { Part } from "../part.ts";

/** What stands in the Authorization headers, one entry for each. */
type Headers = readonly string[];

function variants(key: string, other: string): Record<string, Headers> {
  const last = key.at(-1) === "A" ? "B" : "A";
  return {
    none: [],
    empty: [""],
    "no key": ["Bearer "],
    "another scheme": [`Basic ${key}`],
    "no scheme": [key],
    "its prefix": [`Bearer ${key.slice(0, 12)}`],
    truncated: [`Bearer ${key.slice(0, -1)}`],
    "one letter longer": [`Bearer ${key}A`],
    "another last letter": [`Bearer ${key.slice(0, -1)}${last}`],
    "other letters": [`Bearer ${key.toUpperCase()}`],
    "small letters": [`Bearer ${key.toLowerCase()}`],
    quoted: [`Bearer "${key}"`],
    "percent-encoded": [`Bearer ${key.replace("_", "%5F")}`],
    "two keys in one": [`Bearer ${key}, Bearer ${other}`],
    "two keys side by side": [`Bearer ${key} ${other}`],
    "two headers": [`Bearer ${key}`, `Bearer ${other}`],
    "the same header twice": [`Bearer ${key}`, `Bearer ${key}`],
    "a wildcard": ["Bearer %"],
    SQL: ["Bearer ' OR '1'='1"],
    "a very long one": [`Bearer chrns_${"x".repeat(8_000)}`],
  };
}

const PATHS = ["/v1/jobs", "/v1/api-keys", "/v1/signing-secret", "/v1/schedules"];

export async function intrude(service: Service): Promise<Part> {
  const tenant = await PatientTenant.make(service, "a victim", 2);
  const [, key = "", other = ""] = tenant.secrets;
  const faults: string[] = [];
  const words = new Set<string>();
  let tried = 0;
  for (const [name, headers] of Object.entries(variants(key, other)))
    for (const path of PATHS) {
      tried += 1;
      const answer = await ask(service, path, headers);
      words.add(answer.body);
      if (answer.status !== 401) faults.push(`a key that is ${name} was answered ${answer.status} on ${path}`);
      if (answer.allowsOrigin) faults.push(`${path} opens itself to other origins`);
    }
  if (words.size > 1) faults.push("a refusal tells what is wrong with a key");
  const { admin_token } = service.dev;
  for (const token of [admin_token.slice(0, -1), `${admin_token}x`, key, ""]) {
    tried += 1;
    const { status } = await ask(service, "/v1/admin/accounts", [`Bearer ${token}`]);
    if (status !== 401) faults.push(`an admin token that is not right was answered ${status}`);
  }
  faults.push(...(await limit(service, tenant, [...words])), ...(await revoke(service, tenant, other)));
  const row = { fault: "keys that are almost right", jobs: tried, delivered: 0, lost: faults.length };
  return { rows: [{ ...row, duplicated: 0, early: 0, lateP99Ms: null }], faults, secrets: tenant.secrets };
}

/** A key that may do less opens nothing else, and one that expires opens nothing more, in the words of any that is not right. */
async function limit(service: Service, tenant: PatientTenant, words: readonly string[]): Promise<string[]> {
  const expiresAt = Date.now() + 2_000;
  const body = { name: "limited", scope: "read", expires_at: new Date(expiresAt).toISOString() };
  const { key } = (await tenant.call<{ key: string }>("POST", "/v1/api-keys", body)).body.data;
  const reads = async () => (await ask(service, "/v1/jobs", [`Bearer ${key}`])).status;
  const faults: string[] = [];
  if ((await reads()) !== 200) faults.push("a key that may read was refused");
  const secret = await ask(service, "/v1/signing-secret", [`Bearer ${key}`]);
  if (secret.status !== 403)
    faults.push(`the signing secret was answered ${secret.status} to a key that may only read`);
  await sleep(expiresAt - Date.now());
  const expired = await ask(service, "/v1/jobs", [`Bearer ${key}`]);
  if (expired.status !== 401 || !words.includes(expired.body)) faults.push("an expired key is told apart from others");
  return faults;
}

/** Used a moment ago, and so remembered: revoked it is refused all the same. */
async function revoke(service: Service, tenant: PatientTenant, key: string): Promise<string[]> {
  const before = await ask(service, "/v1/jobs", [`Bearer ${key}`]);
  const keys = await tenant.call<{ id: string; prefix: string }[]>("GET", "/v1/api-keys");
  const id = keys.body.data.find(({ prefix }) => key.startsWith(prefix))?.id;
  await tenant.call("DELETE", `/v1/api-keys/${id}`);
  const after = await ask(service, "/v1/jobs", [`Bearer ${key}`]);
  return before.status === 200 && after.status === 401 ? [] : [`a revoked key was answered ${after.status}`];
}

function ask(
  service: Service,
  path: string,
  authorization: Headers,
): Promise<{ status: number; body: string; allowsOrigin: boolean }> {
  return new Promise((resolve, reject) => {
    const sent = request(service.url + path, {
      headers: { Authorization: [...authorization], Origin: "https://evil.example" },
    });
    sent.on("error", reject);
    sent.on("response", async (answer) => {
      let body = "";
      for await (const chunk of answer.setEncoding("utf8")) body += chunk;
      const allowsOrigin = answer.headers["access-control-allow-origin"] !== undefined;
      resolve({ status: answer.statusCode ?? 0, body, allowsOrigin });
    });
    sent.end();
  });
}
