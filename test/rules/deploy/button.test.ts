// A "Deploy to Cloudflare" button needs these things of a repository. It clones it, asks for the values of variables and secrets, makes the
// resources, and runs the `deploy` script where nobody can be asked.
// https://developers.cloudflare.com/workers/platform/deploy-buttons/

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { expect, it } from "vitest";
import { DATABASE, readConfig } from "../../../deploy/config.ts";
import { SECRETS } from "../../../deploy/secrets-folder.ts";
import { PROJECT } from "../../../local/settings.ts";
import { MIN_SECRET_LENGTH } from "../../../src/accounts/service-secrets.ts";

const read = (name: string): string => readFileSync(join(PROJECT, name), "utf8");
const manifest = JSON.parse(read("package.json"));
const config = readConfig(PROJECT, null);
const examples = parseEnv(read(".dev.vars.example"));

it("the deploy script is ours, and migrates by the binding's name", () => {
  expect(manifest.scripts.deploy).toContain("node --no-warnings deploy/main.ts");
  expect(config.d1_databases.map(({ binding }) => binding)).toContain(DATABASE);
  expect(read("deploy/cloudflare.ts")).toContain('"migrations", "apply", binding, "--remote"');
});

it("every resource has a name, and no id of ours stands in the way of yours", () => {
  for (const database of config.d1_databases) {
    expect(database.database_name).toMatch(/./);
    expect(database.database_id).toBeUndefined();
  }
  for (const queue of [...(config.queues?.producers ?? []), ...(config.queues?.consumers ?? [])])
    expect(queue.queue).toMatch(/./);
  expect(config.account_id).toBeUndefined();
});

it("it asks for the secrets, with examples that the service would not use", () => {
  expect(Object.keys(examples).sort()).toEqual([...SECRETS].sort());
  for (const example of Object.values(examples)) expect(example?.length).toBeLessThan(MIN_SECRET_LENGTH);
});

it("each value it asks for is explained, and nothing else", () => {
  const asked = [
    ...Object.keys(examples),
    ...Object.keys(config.vars),
    ...config.d1_databases.map(({ binding }) => binding),
    ...(config.queues?.producers ?? []).map(({ binding }) => binding),
  ];
  expect(Object.keys(manifest.cloudflare.bindings).sort()).toEqual(asked.sort());
  for (const { description } of Object.values<{ description: string }>(manifest.cloudflare.bindings))
    expect(description).toMatch(/^[A-Z].*\.$/);
});
