// Options of `npm run deploy`: flags first, then the environment. All of them are checked before anything is called.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { DeployError } from "./deploy-error.ts";
import { LOCATIONS, type Location } from "./location.ts";

/** Subrequests that one invocation may make. The plans differ in this for the service. */
export const SUBREQUESTS = { free: "50", paid: "10000" } as const;
export type Plan = keyof typeof SUBREQUESTS;

/** Where the deployment runs. Questions are asked at a terminal only; an API key is never printed into a build log. */
export type Place = "terminal" | "script" | "ci" | "workers-builds";

export interface Options {
  place: Place;
  /** Null: the name in wrangler.toml. */
  name: string | null;
  location: Location | null;
  plan: Plan | null;
  domain: string | null;
  secretsFolder: string | null;
  /** Null: wrangler's own choice, or the only account there is. */
  accountId: string | null;
  /** Secrets brought along, in place of generated ones. */
  given: Partial<Record<string, string>>;
  timeoutMs: number;
}

export const HELP = `npm run deploy                 deploys to Cloudflare, or upgrades what is there
npm run deploy -- --plan free  with options:

  --name NAME         of the Worker and its database; another name is another service  CHRONOS_NAME
  --location WHERE    of a new database: ${LOCATIONS.join(", ").padEnd(46)}CHRONOS_LOCATION
  --plan free|paid    your Workers plan                                                CHRONOS_PLAN
  --domain HOST       a custom domain, in a zone of your account                       CHRONOS_DOMAIN
  --secrets FOLDER    where your copies of the secrets are kept                        CHRONOS_SECRETS

CLOUDFLARE_ACCOUNT_ID chooses among several accounts, CLOUDFLARE_API_TOKEN signs in without a browser.
Before the first time: npx wrangler login. More: docs/deploying.md`;

/** @returns null when only the help was asked for */
export function readOptions(args: string[], env: NodeJS.ProcessEnv, isTerminal: boolean): Options | null {
  const flags = readFlags(args);
  if (flags.help) return null;
  if (env.CLOUDFLARE_ENV)
    throw new DeployError(
      `CLOUDFLARE_ENV is "${env.CLOUDFLARE_ENV}", and wrangler.toml has no environments. Use a name for each: CHRONOS_NAME=chronos-${env.CLOUDFLARE_ENV} npm run deploy`,
    );
  const folder = flags.secrets ?? env.CHRONOS_SECRETS;
  return {
    place: placeOf(env, isTerminal),
    name: nameOf(flags.name ?? env.CHRONOS_NAME, env.WRANGLER_CI_OVERRIDE_NAME),
    location: oneOf("CHRONOS_LOCATION", flags.location ?? env.CHRONOS_LOCATION, LOCATIONS),
    plan: oneOf("CHRONOS_PLAN", flags.plan ?? env.CHRONOS_PLAN, ["free", "paid"] as const),
    domain: hostOf(flags.domain ?? env.CHRONOS_DOMAIN),
    secretsFolder: folder ? resolve(folder) : null,
    accountId: env.CLOUDFLARE_ACCOUNT_ID || null,
    given: { MASTER_KEY: env.MASTER_KEY, ADMIN_TOKEN: env.ADMIN_TOKEN },
    timeoutMs: secondsOf("CHRONOS_TIMEOUT_SECONDS", env.CHRONOS_TIMEOUT_SECONDS || "180") * 1_000,
  };
}

function readFlags(args: string[]) {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      args,
      options: { name: text, location: text, plan: text, domain: text, secrets: text, help: { type: "boolean" } },
    }).values;
  } catch (error) {
    throw new DeployError(`${(error as Error).message.split(". ")[0]}.\n\n${HELP}`);
  }
}

function placeOf(env: NodeJS.ProcessEnv, isTerminal: boolean): Place {
  if (isSet(env.WORKERS_CI)) return "workers-builds";
  if (isSet(env.CI)) return "ci";
  return isTerminal ? "terminal" : "script";
}

const isSet = (value = ""): boolean => !["", "0", "false"].includes(value);

/** Workers Builds has a Worker already, and wrangler deploys to that one whatever the configuration says. */
function nameOf(given = "", ciName = ""): string | null {
  if (given && ciName && given !== ciName)
    throw new DeployError(
      `CHRONOS_NAME is "${given}", but this build belongs to the Worker "${ciName}". Leave it out.`,
    );
  const name = given || ciName;
  if (name && !/^[a-z0-9]([a-z0-9-]{0,52}[a-z0-9])?$/.test(name))
    throw new DeployError(
      `CHRONOS_NAME must be 1 to 54 lower-case letters, digits and dashes, not "${name}". Try: CHRONOS_NAME=chronos-staging`,
    );
  return name || null;
}

function oneOf<T extends string>(setting: string, value: string | undefined, choices: readonly T[]): T | null {
  if (!value) return null;
  const choice = choices.find((candidate) => candidate === value.toLowerCase());
  if (choice) return choice;
  throw new DeployError(`${setting} must be one of ${choices.join(", ")}, not "${value}".`);
}

function hostOf(value: string | undefined): string | null {
  if (!value) return null;
  if (/^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/i.test(value)) return value.toLowerCase();
  throw new DeployError(`CHRONOS_DOMAIN must be a host name such as jobs.example.com, not "${value}".`);
}

function secondsOf(setting: string, value: string): number {
  if (/^[1-9]\d{0,3}$/.test(value)) return Number(value);
  throw new DeployError(`${setting} must be a whole number of seconds from 1 to 9999, not "${value}".`);
}
