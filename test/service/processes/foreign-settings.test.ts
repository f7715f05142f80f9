// The state folder and our own variables decide what the service does: neither `.env` and `.dev.vars`, nor the variables of
// the tools beneath, nor a proxy. And nothing is written anywhere else, so that the project may be another user's.

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROJECT } from "../../../local/settings.ts";
import { OwnService } from "../../harness/service.ts";

const FOREIGN = [
  "MASTER_KEY=another",
  "ADMIN_TOKEN=adm_another",
  "PUBLIC_HOSTS=127.0.0.1:9999",
  "RETENTION_DAYS=1",
].join("\n");

/** A port that nobody listens at: whoever asks there is refused. */
const NOWHERE = "http://127.0.0.1:9";

const env = {
  HTTP_PROXY: NOWHERE,
  https_proxy: NOWHERE,
  ALL_PROXY: NOWHERE,
  NO_PROXY: "example.com",
  NODE_USE_ENV_PROXY: "1",
  CLOUDFLARE_ENV: "staging",
  CLOUDFLARE_INCLUDE_PROCESS_ENV: "true",
  WRANGLER_LOG: "debug",
  WRANGLER_LOG_PATH: "/nowhere/at/all",
};

const project = mkdtempSync(join(tmpdir(), "chronos-project-"));
const listing = () =>
  readdirSync(project, { recursive: true, encoding: "utf8" })
    .map((name) => `${name} ${statSync(join(project, name)).mtimeMs}`)
    .sort();

beforeAll(() => {
  const parts = ["dashboard", "docs", "local", "migrations", "sdk/src", "src"];
  for (const name of [...parts, "wrangler.toml", "package.json", "tsconfig.json"])
    cpSync(join(PROJECT, name), join(project, name), { recursive: true });
  symlinkSync(join(PROJECT, "node_modules"), join(project, "node_modules"));
  for (const name of [".env", ".env.local", ".dev.vars"]) writeFileSync(join(project, name), FOREIGN);
});
afterAll(() => rmSync(project, { recursive: true }));

describe.each(["start", "dev"])("npm run %s", (script) => {
  const before = { listing: [] as string[] };
  let service: OwnService;
  beforeAll(async () => {
    before.listing = listing();
    const command = [process.execPath, "--no-warnings", join(project, `local/${script}.ts`)];
    service = new OwnService({ command, cwd: project, env });
    await service.ready();
  });
  afterAll(() => service.stop());

  it("serves with the secrets of its state folder", async () => {
    const { ADMIN_TOKEN } = parseEnv(readFileSync(join(service.folder, "state/secrets.env"), "utf8"));
    expect(service.dev.admin_token).toBe(ADMIN_TOKEN);
    const tenant = await service.newTenant();
    expect(await tenant.get("/v1/signing-secret")).toMatchObject({ signing_secret: tenant.signingSecret });
    const asAnother = { headers: { Authorization: "Bearer adm_another" } };
    expect((await fetch(`${service.url}/v1/admin/accounts`, asAnother)).status).toBe(401);
  });

  it("keeps its own addresses to itself, and nobody else's", async () => {
    const tenant = await service.newTenant();
    const to = (port: string) => ({ type: "push", http: { url: `http://127.0.0.1:${port}/`, method: "POST" } });
    expect((await tenant.call("POST", "/v1/jobs", { name: "a", delivery: to("9999") })).status).toBe(201);
    expect((await tenant.call("POST", "/v1/jobs", { name: "a", delivery: to(new URL(service.url).port) })).status).toBe(
      422,
    );
  });

  it("writes nothing outside of its state folder", () => {
    expect(listing()).toEqual(before.listing);
  });
});

it("a Worker that cannot be built is told of in plain words: no colours, and no notices of the tool", async () => {
  writeFileSync(join(project, "src/index.ts"), "export default {\n");
  const command = [process.execPath, "--no-warnings", join(project, "local/start.ts")];
  const service = new OwnService({ command, cwd: project, env: { FORCE_COLOR: "1" } });
  try {
    expect(await service.ended()).toBe(1);
    expect(service.log).toMatch(/^The Worker cannot be built:\n/m);
    expect(service.log).toContain("src/index.ts:2");
    expect(service.log).not.toContain("\x1b");
    expect(service.log).not.toMatch(/newer version|think this is a bug|Logs were written/);
  } finally {
    await service.stop();
  }
});
