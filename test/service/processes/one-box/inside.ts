// The part of public-targets.test.ts that runs in a network of its own. Prints what it has seen as one line of JSON.
//   inside.ts <folder with key.pem and cert.pem>

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { FORBIDDEN_IPV4, FORBIDDEN_IPV6, FORBIDDEN_NAMES } from "../../../harness/forbidden-targets.ts";
import { OwnService } from "../../../harness/service.ts";
import { Tenant } from "../../../harness/tenant.ts";
import { until } from "../../../harness/until.ts";
import { addAddress, bringUpLoopback, nameAddresses, neighbour } from "./namespace.ts";

const [folder = ""] = process.argv.slice(2);

/** As a URL writes it: one spelling for each address. */
const canonical = (host: string): string => new URL(`https://${host}/`).hostname.replace(/^\[|\]$|\.$/g, "");

const literals = [...FORBIDDEN_IPV4.map(([, host]) => host), ...FORBIDDEN_IPV6.map(([, host]) => `[${host}]`)];
const addresses = [...new Set(literals.map(canonical))];
const PUBLIC_NAME = "public.example.com";
const names = new Map(addresses.map((address, i) => [`n${i}.example.com`, address]));

bringUpLoopback();
const others = await neighbour();
addAddress("11.22.33.44");
for (const address of addresses) addAddress(address);
nameAddresses(new Map([...names, [PUBLIC_NAME, "11.22.33.44"]]), join(folder, "hosts"));

/** The host that each TLS connection asked for. */
const connections: string[] = [];
const tls = { key: readFileSync(join(folder, "key.pem")), cert: readFileSync(join(folder, "cert.pem")) };
/** The paths that were asked for, and the one whose answer was not waited for. */
const requests: string[] = [];
let cut = "";
const target = createServer(tls, ({ url = "" }, response) => {
  requests.push(url);
  response.once("close", () => {
    if (!response.writableFinished) cut = url;
  });
  if (url === "/redirect") response.writeHead(302, { Location: `https://${PUBLIC_NAME}/trespass` });
  if (url !== "/hang") response.end("ok");
});
target.on("secureConnection", (socket: TLSSocket) => connections.push(String(socket.servername)));
let rawConnections = 0;
target.on("connection", () => rawConnections++);
await once(target.listen(443, "::"), "listening");

const push = (host: string, path = "/") => ({
  ...{ name: host, max_retries: 0, timeout: 2 },
  delivery: { type: "push", http: { url: `https://${host}${path}`, method: "POST" } },
});
/** Each with the keys of one account in turns: a key may ask a hundred times in ten seconds. */
async function createEach(keys: readonly Tenant[], jobs: readonly object[]) {
  const answers = await Promise.all(
    keys.map(async (key, nth) => {
      const own = jobs.filter((_, i) => i % keys.length === nth);
      const taken = [];
      for (const job of own) taken.push(await key.call("POST", "/v1/jobs", job));
      return taken;
    }),
  );
  return answers.flat().map(({ status, body }) => ({ status, message: body.errors?.[0]?.message ?? "" }));
}

/** Waits until so many jobs of an account have ended. @returns how many of them failed */
async function ended(tenant: Tenant, count: number): Promise<number> {
  const total = async (status: string) =>
    (await tenant.call("GET", `/v1/jobs?status=${status}`)).body.meta.paging.total;
  let failed = 0;
  const all = async () => {
    failed = await total("failed");
    return failed + (await total("completed")) === count;
  };
  await until(all, 60_000, () => `${failed} of ${count} pushes have failed, others have not ended`, 250);
  return failed;
}

// Anything is allowed: the addresses can really be reached, and what is created now waits for the restart.
const env = { HOST: "0.0.0.0", NODE_EXTRA_CA_CERTS: join(folder, "cert.pem") };
const anywhere = new OwnService({ env: { ...env, CHRONOS_TARGETS: "any" } });
await anywhere.ready();
const pushes = [...names.keys()].map((name) => push(name));
const free = await anywhere.newTenant();
await createEach([free, await free.anotherKey()], pushes);
await ended(free, pushes.length);
const reached = new Set(connections).size;
const hosts = [...literals, ...FORBIDDEN_NAMES];
const early = await anywhere.newTenant();
const later = hosts.map((host) => ({ ...push(host), delay: { value: 30, unit: "minute" } }));
const taken = await createEach([early, ...(await early.moreKeys(2))], later);
const accepted = taken.filter(({ status }) => status === 201).length;
await anywhere.terminate();

// The production form on the same state.
connections.length = 0;
rawConnections = 0;
const service = new OwnService({ env, folder: anywhere.folder });
await service.ready();
const tenant = await service.newTenant();
requests.length = 0;
const created = await createEach(
  [tenant, ...(await tenant.moreKeys(2))],
  hosts.map((host) => push(host)),
);
const there = new Tenant({ ...early, url: service.url });
await there.post("/v1/bulk-actions", { action: "run", filter: { status: "pending" } });
const refusedLater = await ended(there, accepted);
const resolving = await service.newTenant();
await createEach([resolving, await resolving.anotherKey()], pushes);
const refusedByAddress = await ended(resolving, pushes.length);
const wellPlaced = await service.newTenant();
const good = ["/", "/redirect", "/hang"].map((path) => push(PUBLIC_NAME, path));
await createEach([wellPlaced], good);
await ended(wellPlaced, good.length);
const neighbourHears = others.asks(`http://192.168.77.1:${new URL(service.url).port}/health`);
const log = service.log;
const { api_key, admin_token } = service.dev;
await service.stop();
await anywhere.stop();
others.leave();
const seen = {
  names: names.size,
  reached,
  accepted,
  created,
  refusedLater,
  refusedByAddress,
  connections,
  rawConnections,
  requests: requests.sort(),
  cut,
  neighbourHears,
  logHasSecrets: log.includes(api_key) || log.includes(admin_token),
};
console.log(JSON.stringify(seen));
process.exit();

export type Seen = typeof seen;
