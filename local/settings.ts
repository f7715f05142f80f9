// The settings that come from the environment, checked before anything is started. SETTINGS is the only place that knows
// names, defaults and rules: the table of docs/self-hosting.md is checked against it.
import { isIP } from "node:net";
import { resolve } from "node:path";
import { MIN_SECRET_LENGTH } from "../src/accounts/service-secrets.ts";
import { ACCOUNT_LIMITS, type AccountLimit, accountLimit, ruleOfLimit } from "../src/domain/account-limits.ts";
import { MAX_DATABASES } from "../src/domain/databases.ts";
import { RETENTION_DAYS_RULE, retentionDays } from "../src/domain/retention-days.ts";
import { isLoopback, LOOPBACK, ownNames } from "./addresses.ts";

export { PROJECT } from "./packed.ts";

/** Why the server cannot start, in words for the person who started it: shown as it is, without a stack. */
export class StartError extends Error {}

/** The port at which `chronos-edge receive` waits for deliveries. */
export const RECEIVER_PORT = 9000;

interface Setting {
  /** In words where there is no value. */
  readonly default: string;
  /** A whole sentence. */
  readonly rule: string;
  readonly example: string;
  readonly accepts: (text: string) => boolean;
  /** Its value is never shown. */
  readonly isSecret?: true;
}

const isSecretEnough = (text: string): boolean => text.length >= MIN_SECRET_LENGTH;

const settingOf = (name: AccountLimit) => ({
  default: String(ACCOUNT_LIMITS[name]),
  rule: ruleOfLimit(name),
  example: String(ACCOUNT_LIMITS[name]),
  accepts: (text: string) => accountLimit(name, text) !== null,
});

export const SETTINGS = {
  HOST: {
    default: LOOPBACK,
    rule: "HOST must be an IP address of this machine: 127.0.0.1 serves this machine alone, 0.0.0.0 all of its networks.",
    example: "0.0.0.0",
    accepts: (text) => isIP(text) !== 0 && !text.includes("%"),
  },
  PORT: {
    default: "8787",
    rule: "PORT must be a whole number from 0 to 65535; 0 takes any free port.",
    example: "8787",
    accepts: (text) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535,
  },
  CHRONOS_STATE: {
    default: ".chronos",
    rule: "CHRONOS_STATE must be a folder for the service alone.",
    example: "/var/lib/chronos-edge",
    accepts: () => true, // opening it says what is wrong with it
  },
  CHRONOS_TARGETS: {
    default: "any on loopback without PUBLIC_HOSTS, otherwise public",
    rule: "CHRONOS_TARGETS must be public (jobs call public https hosts only) or any (jobs call whatever this machine reaches).",
    example: "public",
    accepts: (text) => text === "public" || text === "any",
  },
  PUBLIC_HOSTS: {
    default: "none",
    rule: "PUBLIC_HOSTS must be host names, or host:port, separated by commas.",
    example: "chronos.example.com",
    accepts: (text) => text.split(",").every((host) => isHost(host.trim())),
  },
  MASTER_KEY: {
    default: "made at the first start",
    rule: `MASTER_KEY must be at least ${MIN_SECRET_LENGTH} characters long; openssl rand -base64 32 makes one.`,
    example: "",
    accepts: isSecretEnough,
    isSecret: true,
  },
  MASTER_KEY_PREVIOUS: {
    default: "none",
    rule: "MASTER_KEY_PREVIOUS must be the master key before MASTER_KEY, which is set beside it.",
    example: "",
    accepts: () => true,
    isSecret: true,
  },
  ADMIN_TOKEN: {
    default: "made at the first start",
    rule: `ADMIN_TOKEN must be at least ${MIN_SECRET_LENGTH} characters long; openssl rand -hex 32 makes one.`,
    example: "",
    accepts: isSecretEnough,
    isSecret: true,
  },
  RETENTION_DAYS: {
    default: "30",
    rule: RETENTION_DAYS_RULE,
    example: "30",
    accepts: (text) => retentionDays(text) !== null,
  },
  MAX_WAITING_JOBS: settingOf("MAX_WAITING_JOBS"),
  MAX_SCHEDULES: settingOf("MAX_SCHEDULES"),
  MAX_OPEN_POLLS: settingOf("MAX_OPEN_POLLS"),
  CHRONOS_DATABASES: {
    default: "1",
    rule: `CHRONOS_DATABASES must be a whole number from 1 to ${MAX_DATABASES}: the databases that accounts are spread over.`,
    example: "4",
    accepts: (text) => /^[1-9]\d{0,2}$/.test(text) && Number(text) <= MAX_DATABASES,
  },
  CHRONOS_RATE_LIMITS: {
    default: "on",
    rule: "CHRONOS_RATE_LIMITS must be on or off. Off is for tests: no request is refused with 429.",
    example: "off",
    accepts: (text) => text === "on" || text === "off",
  },
  CHRONOS_LOG: {
    default: "text",
    rule: "CHRONOS_LOG must be text (lines to read) or json (lines as the service wrote them).",
    example: "json",
    accepts: (text) => text === "text" || text === "json",
  },
} as const satisfies Record<string, Setting>;

type Name = keyof typeof SETTINGS;

export interface Settings {
  /** The IP address to listen at. */
  host: string;
  /** 0 takes any free port. */
  port: number;
  /** Others reach it, over the network or through a proxy that PUBLIC_HOSTS names: its log is no place for a key. */
  isOpen: boolean;
  /** Absolute path of the folder that holds everything the service remembers. */
  stateFolder: string;
  /** The targets that pushes may reach: public https hosts, or everything that this machine reaches. */
  targets: "public" | "any";
  /** Worker variables that take precedence over those of wrangler.toml. */
  vars: Record<string, string>;
  /** Secrets that the environment gives; the others are kept in the state folder. */
  secrets: Partial<Record<"MASTER_KEY" | "MASTER_KEY_PREVIOUS" | "ADMIN_TOKEN", string>>;
  /** How many databases there are at least. */
  databases: number;
  /** Whether requests are limited by rate. */
  rateLimits: boolean;
  /** Log lines as the Worker wrote them. */
  rawLogs: boolean;
  color: boolean;
}

export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const given = check(env);
  const host = given.HOST ?? SETTINGS.HOST.default;
  const isOpen = !isLoopback(host) || given.PUBLIC_HOSTS !== undefined;
  const targets = given.CHRONOS_TARGETS ?? (isOpen ? "public" : "any");
  return {
    host,
    port: Number(given.PORT ?? SETTINGS.PORT.default),
    isOpen,
    stateFolder: resolve(given.CHRONOS_STATE ?? SETTINGS.CHRONOS_STATE.default),
    targets: targets === "any" ? "any" : "public",
    vars: {
      ...(targets === "any" && { ALLOW_LOCAL_TARGETS: "true" }),
      ...asGiven(given, ["RETENTION_DAYS", "MAX_WAITING_JOBS", "MAX_SCHEDULES", "MAX_OPEN_POLLS"]),
      PUBLIC_HOSTS: given.PUBLIC_HOSTS ?? "",
    },
    secrets: {
      ...(given.MASTER_KEY !== undefined && { MASTER_KEY: given.MASTER_KEY }),
      ...(given.MASTER_KEY_PREVIOUS !== undefined && { MASTER_KEY_PREVIOUS: given.MASTER_KEY_PREVIOUS }),
      ...(given.ADMIN_TOKEN !== undefined && { ADMIN_TOKEN: given.ADMIN_TOKEN }),
    },
    databases: Number(given.CHRONOS_DATABASES ?? SETTINGS.CHRONOS_DATABASES.default),
    rateLimits: given.CHRONOS_RATE_LIMITS !== "off",
    rawLogs: given.CHRONOS_LOG === "json",
    color: process.stdout.isTTY && !env.NO_COLOR,
  };
}

const asGiven = (given: Partial<Record<Name, string>>, names: readonly Name[]): Record<string, string> =>
  Object.fromEntries(names.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])));

/** The settings of a server on this port, which a job may not call: PUBLIC_HOSTS says so to the Worker. */
export function servedAt(settings: Settings, port: number): Settings {
  const names = [settings.vars.PUBLIC_HOSTS, ...ownNames(settings.host, port)].filter(Boolean).join(",");
  return { ...settings, port, vars: { ...settings.vars, PUBLIC_HOSTS: names } };
}

/** @returns the values that are set; an empty one counts as not set */
function check(env: NodeJS.ProcessEnv): Partial<Record<Name, string>> {
  const given: Partial<Record<Name, string>> = {};
  for (const [name, setting] of Object.entries(SETTINGS) as [Name, Setting][]) {
    const text = env[name];
    if (text === undefined || text === "") continue;
    if (!setting.accepts(text)) throw new StartError(refusal(name, setting, text));
    given[name] = text;
  }
  return given;
}

function refusal(name: Name, { rule, example, isSecret }: Setting, text: string): string {
  if (isSecret) return `${rule} It has ${text.length}.`;
  return `${rule} It is "${text}". Try: ${name}=${example}`;
}

/** A name or an address, perhaps with a port, and nothing else that a URL may have. */
function isHost(text: string): boolean {
  if (text === "" || /[\s/@?#\\]/.test(text) || !URL.canParse(`https://${text}`)) return false;
  return new URL(`https://${text}`).hostname !== "";
}
