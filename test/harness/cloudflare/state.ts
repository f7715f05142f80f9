// The content of an account on the stand-in, and a summary to compare two of them.

export const ACCOUNT = "0123456789abcdef0123456789abcdef";
export const SUBDOMAIN = "stand-in";

export interface Binding {
  readonly type: string;
  readonly name: string;
  readonly text?: string;
  readonly id?: string;
  readonly class_name?: string;
  readonly queue_name?: string;
  readonly namespace_id?: string;
  readonly simple?: { limit: number; period: 10 | 60 };
}

export interface Module {
  readonly name: string;
  readonly type: "ESModule" | "Data";
  readonly contents: Uint8Array;
}

export interface Version {
  readonly id: string;
  readonly bindings: readonly Binding[];
  readonly modules: readonly Module[];
  readonly main: string;
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
}

export interface Script {
  readonly tag: string;
  tags: string[];
  migrationTag: string | null;
  versions: Version[];
  /** Ids of versions, the newest last. */
  deployments: string[];
  schedules: string[];
  onWorkersDev: boolean;
  domains: string[];
}

export interface Database {
  readonly uuid: string;
  readonly name: string;
  readonly location: string;
}

export interface Queue {
  readonly queue_id: string;
  readonly queue_name: string;
  consumers: { type: "worker"; consumer_id: string; script: string; settings: object }[];
}

export class State {
  databases: Database[] = [];
  queues: Queue[] = [];
  scripts = new Map<string, Script>();
  /** Null: the account has not chosen one yet. */
  subdomain: string | null = SUBDOMAIN;

  /** Everything that matters of it, without the ids that differ from run to run. */
  summary() {
    const nameOf = (id: string) => this.databases.find(({ uuid }) => uuid === id)?.name ?? id;
    return {
      databases: this.databases.map(({ name, location }) => ({ name, location })),
      queues: this.queues.map(({ queue_name, consumers }) => ({
        name: queue_name,
        consumers: consumers.map(({ script, settings }) => ({ script, settings })),
      })),
      scripts: [...this.scripts].map(([name, script]) => ({
        name,
        migrationTag: script.migrationTag,
        schedules: script.schedules,
        onWorkersDev: script.onWorkersDev,
        domains: script.domains,
        bindings: deployedOf(script)
          ?.bindings.map(({ id, ...binding }) => ({ ...binding, ...(id === undefined ? {} : { id: nameOf(id) }) }))
          .toSorted((a, b) => a.name.localeCompare(b.name)),
      })),
    };
  }
}

export function deployedOf({ deployments, versions }: Script): Version | undefined {
  return versions.find(({ id }) => id === deployments.at(-1));
}
