// A deployment from beginning to end. Every step looks first and creates only what is missing, so a run may be repeated
// from wherever it stopped.
import { buildDashboard } from "../dashboard/build.ts";
import { type Chooser, chooseAccount, chooseLocation, chooseSubrequests, confirmDomain } from "./choices.ts";
import {
  type Content,
  contentOf,
  findDatabases,
  findWorker,
  hasQueue,
  type MadeDatabase,
  makeDatabase,
  makeQueue,
  migrate,
  query,
  type Release,
  release,
  type Worker,
} from "./cloudflare.ts";
import {
  DATABASE,
  databasesOf,
  domainsOf,
  queuesOf,
  readConfig,
  type WranglerConfig,
  writeDeployed,
} from "./config.ts";
import { DeployError } from "./deploy-error.ts";
import { refusedOnFree } from "./free-plan.ts";
import { locationOf, WHERE } from "./location.ts";
import { type Options, SUBREQUESTS } from "./options.ts";
import type { Progress } from "./progress.ts";
import { type Decided, decideSecrets } from "./secrets.ts";
import { defaultFolder, SecretsFolder } from "./secrets-folder.ts";
import { type FirstAccount, firstAccount, untilHealthy } from "./service.ts";
import type { Wrangler } from "./wrangler.ts";

export interface Surroundings extends Chooser {
  project: string;
  env: NodeJS.ProcessEnv;
  progress: Progress;
  /** @param accountId null: wrangler's own choice */
  open(accountId: string | null): Wrangler;
}

/** A deployment whose account, resources and secrets folder are known. */
interface Deployment extends Surroundings {
  config: WranglerConfig;
  wrangler: Wrangler;
  folder: SecretsFolder;
  there: There;
}

interface There {
  worker: Worker | null;
  /** The ids of the databases that are there, by their bindings. */
  databaseIds: Record<string, string>;
  missingQueues: string[];
  /** Of a database without a serving Worker: left by an earlier run, or not ours. */
  content: Content;
}

export async function deploy(surroundings: Surroundings): Promise<void> {
  const { project, env, options, progress } = surroundings;
  const config = readConfig(project, options.name);
  const account = await progress.step(
    "sign-in",
    "asking Cloudflare for your accounts",
    () => chooseAccount(surroundings, config, surroundings.open(null)),
    ({ id, name }) => `account ${name || id}`,
  );
  const wrangler = surroundings.open(account.id);
  const there = await progress.step(
    "look",
    "looking at what is there",
    () => look(wrangler, config),
    ({ worker }) => (worker === null ? `${config.name} is new` : `${config.name} is there, and is upgraded`),
  );
  const folder = new SecretsFolder(options.secretsFolder ?? defaultFolder(env, account.id, config.name), project);
  const deployment: Deployment = { ...surroundings, config, wrangler, folder, there };

  await confirmDomain(surroundings, there.worker);
  const subrequests = await chooseSubrequests(surroundings, config, there.worker);
  if (subrequests === SUBREQUESTS.free) refuseForFree(config);
  const secrets = await prepareSecrets(deployment);
  const { ids, region } = await prepareDatabases(deployment);
  await prepareQueues(deployment);
  const vars = {
    SUBREQUESTS: subrequests,
    LOCATION_HINT: "",
    PUBLIC_HOSTS: hostsBefore(deployment),
    DATABASES_SINCE: boundSince(deployment, new Date()),
  };
  const write = () => writeDeployed(project, config, { databaseIds: ids, vars, domain: options.domain });
  vars.LOCATION_HINT = await prepareTables(deployment, write(), region);

  const released = await upload(deployment, write(), secrets);
  const url = urlOf(released, config, options);
  const hosts = joined(vars.PUBLIC_HOSTS, ...released.hosts);
  await progress.step(
    "address",
    "uploading once more, with its own address",
    async () => {
      // wrangler tells the address after the upload. Until now there was no account, so no job could call it.
      if (hosts === vars.PUBLIC_HOSTS) return;
      vars.PUBLIC_HOSTS = hosts;
      await release(wrangler, write(), null);
    },
    () => url,
  );
  if (!secrets.hasMasterKey)
    return progress.print("\nDeployed. It does not serve before MASTER_KEY is set: see above.");

  await progress.step(
    "health",
    `waiting for ${url}/health`,
    () => untilHealthy(url, options.timeoutMs, (seen) => progress.note(`waiting: ${seen}`)),
    () => "well",
  );
  const first = await prepareAccount(deployment, url, secrets);
  progress.print(closing(url, first, folder));
}

/** Nothing is changed yet. */
async function look(wrangler: Wrangler, config: WranglerConfig): Promise<There> {
  const databases = databasesOf(config);
  const queues = queuesOf(config);
  // Alone, because it renews an expired sign-in: several commands at once would invalidate each other's.
  const worker = await findWorker(wrangler, config.name);
  const [known, ...found] = await Promise.all([
    databases.every(({ id }) => id !== null) ? new Map<string, string>() : findDatabases(wrangler),
    ...queues.map((queue) => hasQueue(wrangler, queue)),
  ]);
  const there = databases.flatMap(({ binding, name, id }) => {
    const found = id ?? known.get(name);
    return found === undefined ? [] : [{ binding, name, id: found }];
  });
  if (worker?.isChronos === false)
    throw new DeployError(`There is a Worker ${config.name} in this account that is not this service. ${RENAME}`);
  const missingQueues = queues.filter((_, i) => !found[i]);
  const isServing = worker?.secrets.includes("MASTER_KEY") ?? false;
  const isServed = (binding: string) => isServing && worker?.databases.includes(binding);
  let content: Content = "nothing";
  for (const { binding, name } of there) {
    const held = isServed(binding) ? "nothing" : await contentOf(wrangler, name);
    if (held === "something else")
      throw new DeployError(
        `There is a database ${name} in this account with tables that are not this service's. ${RENAME}`,
      );
    if (binding === DATABASE) content = held;
  }
  const databaseIds = Object.fromEntries(there.map(({ binding, id }) => [binding, id]));
  return { worker, databaseIds, missingQueues, content };
}

const RENAME = "Choose another name, such as: CHRONOS_NAME=chronos-jobs npm run deploy";

function refuseForFree(config: WranglerConfig): void {
  const refused = refusedOnFree(config);
  if (refused.length > 0)
    throw new DeployError(`wrangler.toml asks for more than the Free plan has:\n${refused.join("\n")}`);
}

async function prepareSecrets({ progress, options, folder, there }: Deployment): Promise<Decided> {
  const { place, given } = options;
  const situation = {
    ...{ place, given, folder, there: there.worker?.secrets ?? [] },
    hasAccounts: there.content === "accounts",
  };
  const decided = await progress.step(
    "secrets",
    "looking for your copies",
    async () => decideSecrets(situation),
    ({ said }) => said,
  );
  for (const note of decided.notes) progress.note(note);
  return decided;
}

interface Prepared {
  /** By their bindings. */
  ids: Record<string, string>;
  /** That of the directory, if it was made now. */
  region: string;
}

/** One after the other; those that were made by a run that died are there. */
async function prepareDatabases({ progress, options, ask, there, wrangler, config }: Deployment): Promise<Prepared> {
  const { location } = options;
  const all = databasesOf(config);
  const missing = all.filter(({ binding }) => there.databaseIds[binding] === undefined);
  const known = all.filter((one) => !missing.includes(one)).map(({ name }) => name);
  const hint = location === null || missing.length > 0 ? "" : `: CHRONOS_LOCATION=${location} is for a new one`;
  if (known.length > 0)
    await progress.step(
      "database",
      "",
      async () => {},
      () => `${known.join(", ")} ${known.length === 1 ? "is" : "are"} there${hint}`,
    );
  const ids = { ...there.databaseIds };
  let region = "";
  const where = missing.length > 0 ? await chooseLocation({ options, ask }, config) : null;
  for (const { binding, name } of missing) {
    const make = () => makeDatabase(wrangler, name, where);
    const said = (made: MadeDatabase) => `${name} made${inWords(made.region)}`;
    const made = await progress.step("database", `making ${name}`, make, said);
    ids[binding] = made.id;
    if (binding === DATABASE) region = made.region;
  }
  return { ids, region };
}

function inWords(region: string): string {
  const location = locationOf(region);
  return location === null ? "" : ` in ${WHERE[location]}`;
}

async function prepareQueues({ progress, there, wrangler, config }: Deployment): Promise<void> {
  const { missingQueues } = there;
  const names = queuesOf(config).join(", ");
  const make = async () => {
    for (const name of missingQueues) await makeQueue(wrangler, name);
  };
  await progress.step("queues", `making ${missingQueues.join(", ")}`, make, () =>
    missingQueues.length > 0 ? `${missingQueues.join(", ")} made` : `${names} there`,
  );
}

/** @returns where objects are made best: close to the database */
async function prepareTables(deployment: Deployment, path: string, region: string): Promise<string> {
  const { progress, wrangler, config, there } = deployment;
  const said = (applied: boolean) => (applied ? "applied" : "none to apply");
  const bindings = databasesOf(config).map(({ binding }) => binding);
  const all = bindings.length === 1 ? "the database" : `${bindings.length} databases`;
  const apply = async () => {
    let applied = false;
    for (const binding of bindings) if (await migrate(wrangler, binding, path)) applied = true;
    return applied;
  };
  await progress.step("migrations", `bringing ${all} up to date`, apply, said);
  const known = config.vars.LOCATION_HINT || there.worker?.vars.LOCATION_HINT;
  if (known) return known;
  return locationOf(region || (await query(wrangler, DATABASE, "SELECT 1", path)).region) ?? "";
}

async function upload({ progress, wrangler, folder, config }: Deployment, path: string, { upload }: Decided) {
  const isPlain = Object.keys(upload).length === 0;
  const send = async () => {
    await buildDashboard(); // a part of the Worker
    return isPlain ? release(wrangler, path, null) : folder.lend(upload, (secrets) => release(wrangler, path, secrets));
  };
  return progress.step("deploy", "building and uploading the Worker", send, ({ gzipBytes }) =>
    gzipBytes === null ? config.name : `${config.name}, ${Math.ceil(gzipBytes / 1024)} KB compressed`,
  );
}

/** When a database was last bound beside those of a version that may still be running; empty if none was. */
function boundSince({ config, there: { worker } }: Deployment, now: Date): string {
  if (!worker || worker.databases.length === 0) return "";
  const isNew = databasesOf(config).some(({ binding }) => !worker.databases.includes(binding));
  return isNew ? now.toISOString() : (worker.vars.DATABASES_SINCE ?? "");
}

/** The service's own hosts, as far as they are known before the upload. */
function hostsBefore({ config, there, options }: Deployment): string {
  return joined(config.vars.PUBLIC_HOSTS, there.worker?.vars.PUBLIC_HOSTS, options.domain, ...domainsOf(config));
}

/** Lists of hosts as one, each once. */
function joined(...lists: (string | null | undefined)[]): string {
  const hosts = lists.flatMap((list) => (list ?? "").split(",")).map((host) => host.trim());
  return [...new Set(hosts.filter(Boolean))].join(",");
}

function urlOf({ hosts }: Release, config: WranglerConfig, { domain }: Options): string {
  const host = domain ?? domainsOf(config)[0] ?? hosts[0];
  if (host !== undefined) return `https://${host}`;
  throw new DeployError(
    "The Worker is uploaded and has no address. Set workers_dev = true in wrangler.toml, or CHRONOS_DOMAIN.",
  );
}

async function prepareAccount({ progress, options, folder }: Deployment, url: string, { adminToken, upload }: Decided) {
  const isOwnMachine = options.place === "terminal" || options.place === "script";
  const make = async (): Promise<FirstAccount> => {
    if (adminToken === null || !isOwnMachine) return { outcome: "unasked" };
    return firstAccount(url, adminToken, folder, upload.ADMIN_TOKEN !== undefined);
  };
  return progress.step("account", "looking for the first account", make, accountSaid);
}

function accountSaid(first: FirstAccount): string {
  switch (first.outcome) {
    case "made":
      return "the first one made";
    case "there":
      return "there";
    case "unasked":
      return "not looked for: no terminal to show its key at, or no admin token here";
    case "refused":
      return `not looked for: the service refuses your copy of the admin token (${first.status})`;
  }
}

function closing(url: string, first: FirstAccount, folder: SecretsFolder): string {
  const rows = [
    ...(first.outcome === "made" ? [["API key", `${first.apiKey}   (shown only now)`]] : []),
    ["Dashboard", `${url}/dashboard`],
    ["Reference", `${url}/docs`],
    ["Secrets", `${folder.path}   (keep a copy: Cloudflare does not show them)`],
  ];
  const makeOne =
    first.outcome === "made" || first.outcome === "there"
      ? []
      : [
          "",
          "An account is made with the admin token; its API key is in the answer:",
          `  curl -w '\\n' ${url}/v1/admin/accounts -H "Authorization: Bearer $ADMIN_TOKEN" -H 'Content-Type: application/json' -d '{ "name": "me" }'`,
        ];
  return [
    "",
    `Chronos runs at ${url}`,
    "",
    ...rows.map(([label = "", value]) => `  ${label.padEnd(12)}${value}`),
    ...makeOne,
  ].join("\n");
}
