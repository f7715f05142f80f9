// What a local server may be told through the environment, checked before anything is started.
import { join, resolve } from "node:path";
import { RETENTION_DAYS_RULE, retentionDays } from "../src/domain/retention-days.ts";

/** Why the server cannot start, in words for the person who started it: shown as it is, without a stack. */
export class StartError extends Error {}

export interface Settings {
  /** 0 takes any free port. */
  port: number;
  /** Absolute path of the folder that holds everything the service remembers. */
  stateFolder: string;
  /** Worker variables that take precedence over those of wrangler.toml. */
  vars: Record<string, string>;
  /** Log lines as the Worker wrote them (CHRONOS_LOG=json). */
  rawLogs: boolean;
  color: boolean;
}

/** The project's root: wrangler.toml, migrations and node_modules are there. */
export const PROJECT = resolve(import.meta.dirname, "..");

/** Only ever this machine: the embedded server lets jobs push to local hosts. */
export const HOST = "127.0.0.1";

/** Where `npm run receive` waits for deliveries. */
export const RECEIVER_PORT = 9000;

export function readSettings(env: NodeJS.ProcessEnv): Settings {
  return {
    port: readPort(env.PORT || "8787"),
    stateFolder: resolve(env.CHRONOS_STATE || join(PROJECT, ".chronos")),
    vars: {
      ALLOW_LOCAL_TARGETS: "true",
      ...readRetention(env.RETENTION_DAYS),
      PUBLIC_HOSTS: env.PUBLIC_HOSTS ?? "",
    },
    rawLogs: env.CHRONOS_LOG === "json",
    color: process.stdout.isTTY && !env.NO_COLOR,
  };
}

/** The settings of a server on this port, which a job may not call: PUBLIC_HOSTS says so to the Worker. */
export function servedAt(settings: Settings, port: number): Settings {
  const names = [settings.vars.PUBLIC_HOSTS, `${HOST}:${port}`].filter(Boolean).join(",");
  return { ...settings, port, vars: { ...settings.vars, PUBLIC_HOSTS: names } };
}

/** Empty is the same as not set. */
function readRetention(text = ""): Record<string, string> {
  if (text === "") return {};
  if (retentionDays(text) !== null) return { RETENTION_DAYS: text };
  throw new StartError(`${RETENTION_DAYS_RULE} It is "${text}". Try: RETENTION_DAYS=30 npm start`);
}

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new StartError(`PORT must be a whole number from 0 to 65535, not "${text}". Try: PORT=8787 npm start`);
}
