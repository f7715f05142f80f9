// Runs what was uploaded: the deployed version of a Worker in workerd, on the databases that the API queries too.
import { join } from "node:path";
import { Response as Answer, type Miniflare, type Request as Sent } from "miniflare";
import { unstable_splitSqlQuery } from "wrangler";
import { miniflareOptions, openMiniflare } from "../../../local/miniflare.ts";
import { type Binding, deployedOf, type Script, type State } from "./state.ts";

export class Runtime {
  private readonly folder: string;
  private readonly state: State;
  private readonly onDelivery: (request: Request) => Promise<void>;
  private miniflare: Miniflare | null = null;
  /** Which version runs, and on which databases: another one takes its place when that changes. */
  private running = "";

  constructor(folder: string, state: State, onDelivery: (request: Request) => Promise<void>) {
    this.folder = folder;
    this.state = state;
    this.onDelivery = onDelivery;
  }

  /** As D1's HTTP API does it: all statements in one transaction. */
  async query(databaseId: string, sql: string): Promise<{ results: unknown[] }[]> {
    const { miniflare } = await this.at(null);
    const db = await miniflare.getD1Database(databaseId);
    return db.batch(unstable_splitSqlQuery(sql).map((statement) => db.prepare(statement)));
  }

  /** A request to the deployed Worker. */
  async serve(name: string, script: Script, request: Request): Promise<Response> {
    const { miniflare } = await this.at({ name, script });
    const { pathname, search } = new URL(request.url);
    const body = request.body === null ? null : await request.arrayBuffer();
    const answer = await miniflare.dispatchFetch(`https://stand-in${pathname}${search}`, {
      method: request.method,
      headers: Object.fromEntries(request.headers),
      body,
    });
    return new Response(await answer.arrayBuffer(), {
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
    });
  }

  async stop(): Promise<void> {
    await this.miniflare?.dispose();
    this.miniflare = null;
    this.running = "";
  }

  private async at(served: { name: string; script: Script } | null): Promise<{ miniflare: Miniflare }> {
    const version = served === null ? undefined : deployedOf(served.script);
    const ids = this.state.databases.map(({ uuid }) => uuid);
    const wanted = `${version?.id ?? ""} ${ids}`;
    if (this.miniflare !== null && (version === undefined ? this.running.endsWith(` ${ids}`) : this.running === wanted))
      return { miniflare: this.miniflare };
    const databases = Object.fromEntries(ids.map((id) => [id, id]));
    const bare = { modules: true, script: "export default {}", d1Databases: databases };
    const worker =
      version === undefined || served === null
        ? bare
        : {
            name: served.name,
            compatibilityDate: version.compatibilityDate,
            compatibilityFlags: [...version.compatibilityFlags],
            modulesRoot: "/",
            modules: version.modules
              .toSorted((a, b) => Number(b.name === version.main) - Number(a.name === version.main))
              .map(({ name, type, contents }) => ({
                type,
                path: join("/", name),
                contents: type === "ESModule" ? new TextDecoder().decode(contents) : contents,
              })),
            ...bindingsFor(version.bindings, databases),
            outboundService: async (request: Sent) => {
              await this.onDelivery(
                new Request(request.url, { method: "POST", headers: [...request.headers], body: await request.text() }),
              );
              return new Answer("received");
            },
            queueConsumers: Object.fromEntries(
              this.state.queues
                .filter(({ consumers }) => consumers.some(({ script }) => script === served.name))
                .map(({ queue_name }) => [queue_name, { maxBatchTimeout: 0 }]),
            ),
          };
    const options = miniflareOptions(this.folder, { handleStructuredLogs: () => {}, ...worker });
    if (this.miniflare === null) this.miniflare = openMiniflare(options);
    else await this.miniflare.setOptions(options);
    await this.miniflare.ready;
    this.running = wanted;
    return { miniflare: this.miniflare };
  }
}

function bindingsFor(bindings: readonly Binding[], databases: Record<string, string>) {
  const of = (...types: string[]) => bindings.filter(({ type }) => types.includes(type));
  const table = <T>(found: Binding[], value: (binding: Binding) => T) =>
    Object.fromEntries(found.map((binding) => [binding.name, value(binding)]));
  return {
    bindings: table(of("plain_text", "secret_text"), ({ text = "" }) => text),
    d1Databases: { ...databases, ...table(of("d1"), ({ id = "" }) => id) },
    durableObjects: table(of("durable_object_namespace"), ({ class_name = "" }) => ({
      className: class_name,
      useSQLite: true,
    })),
    queueProducers: table(of("queue"), ({ queue_name = "" }) => ({ queueName: queue_name })),
    ratelimits: table(of("ratelimit"), limitOf),
  };
}

const limitOf = ({ name, namespace_id = name, simple }: Binding) => ({
  namespace_id,
  simple: { limit: simple?.limit ?? 0, period: simple?.period ?? 10 },
});
