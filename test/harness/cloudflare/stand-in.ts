// A stand-in for Cloudflare's API, as far as wrangler calls it to deploy: an account with state, that can be made to fail
// at any call, and whose Workers really run. What it answers follows wrangler's own source and Cloudflare's API reference;
// that the real one answers alike is not proven here.
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { type Context, Hono } from "hono";
import { Runtime } from "./runtime.ts";
import { ACCOUNT, type Binding, deployedOf, type Module, type Script, State, type Version } from "./state.ts";

/** How a call goes wrong. */
export type Fault =
  /** Nothing is done. */
  | "refused"
  /** It is done, and the answer says that it failed. */
  | "lost"
  /** It is done and never answered. */
  | "hangs";

export class StandIn {
  readonly state = new State();
  /** Every call that may change something, in their order, as `METHOD route`. */
  changes: string[] = [];
  calls: string[] = [];
  /** By `METHOD route`. */
  readonly faults = new Map<string, Fault>();
  /** Called when a call has a fault, before it is answered. */
  onFault: () => void = () => {};
  /** What the deployed Workers have sent to the world, where all hosts answer 200. */
  readonly deliveries: { url: string; body: string; headers: Headers }[] = [];
  /** Accounts that a sign-in reaches. */
  accounts = [{ id: ACCOUNT, name: "Stand-in" }];

  private readonly folder = mkdtempSync(join(tmpdir(), "cloudflare-"));
  private readonly runtime = new Runtime(this.folder, this.state, (request) => this.receive(request));
  private readonly app = new Hono();
  private readonly server: Server = createServer(async (incoming, outgoing) => {
    const isWithBody = incoming.method !== "GET" && incoming.method !== "HEAD";
    const headers = new Headers();
    for (const [name, value] of Object.entries(incoming.headers)) headers.set(name, `${value}`);
    const request = new Request(`${this.url}${incoming.url}`, {
      method: incoming.method ?? "GET",
      headers,
      ...(isWithBody ? { body: Readable.toWeb(incoming) as ReadableStream, duplex: "half" } : {}),
    } as RequestInit);
    const answer = await this.app.fetch(request);
    outgoing.writeHead(answer.status, Object.fromEntries(answer.headers));
    outgoing.end(Buffer.from(await answer.arrayBuffer()));
  });

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What wrangler is given as Cloudflare's. */
  get apiUrl(): string {
    return `${this.url}/client/v4`;
  }

  static async start(): Promise<StandIn> {
    const standIn = new StandIn();
    standIn.routes();
    await new Promise<void>((resolve) => standIn.server.listen(0, "127.0.0.1", resolve));
    return standIn;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await this.runtime.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The rows that a database holds, outside of the API. */
  async rows<Row>(name: string, sql: string): Promise<Row[]> {
    const database = this.state.databases.find((candidate) => candidate.name === name);
    if (database === undefined) throw new Error(`there is no database ${name}`);
    const [answer] = await this.runtime.query(database.uuid, sql);
    return (answer?.results ?? []) as Row[];
  }

  private async receive(request: { url: string; headers: Headers; text(): Promise<string> }): Promise<void> {
    this.deliveries.push({ url: request.url, body: await request.text(), headers: request.headers });
  }

  private routes(): void {
    const { app, state } = this;
    const account = new Hono();
    const at = "/client/v4/accounts/:account";

    app.use("/client/v4/*", async (c, next) => {
      if (c.req.header("Authorization") !== "Bearer a-token") return refusal(c, 403, 10000, "Authentication error");
      await next();
    });
    app.get("/client/v4/user/tokens/verify", (c) => result(c, { id: "t", status: "active" }));
    app.get("/client/v4/user", (c) => result(c, { email: "me@example.com" }));
    app.get("/client/v4/accounts", (c) => result(c, this.accounts));
    app.get("/client/v4/memberships", (c) =>
      result(
        c,
        this.accounts.map((a) => ({ id: a.id, account: a })),
      ),
    );

    this.on(account, "GET", "/d1/database", (c) => result(c, c.req.query("page") === "1" ? state.databases : []));
    this.on(account, "POST", "/d1/database", async (c) => {
      const { name, primary_location_hint = "weur" } = await c.req.json();
      if (state.databases.some((database) => database.name === name))
        return refusal(c, 400, 7502, "A database with that name already exists");
      const made = { uuid: randomUUID(), name, location: primary_location_hint };
      state.databases.push(made);
      return result(c, { ...made, created_in_region: made.location.toUpperCase() });
    });
    const databaseOf = (c: Context) =>
      state.databases.find(({ uuid, name }) => [uuid, name].includes(c.req.param("database") ?? ""));
    this.on(account, "GET", "/d1/database/:database", (c) => {
      const database = databaseOf(c);
      return database === undefined ? refusal(c, 404, 7404, "The database could not be found") : result(c, database);
    });
    this.on(account, "POST", "/d1/database/:database/query", async (c) => {
      const database = databaseOf(c);
      if (database === undefined) return refusal(c, 404, 7404, "The database could not be found");
      const { sql } = await c.req.json();
      const meta = { duration: 0.1, served_by_region: database.location.toUpperCase() };
      const answers = await this.runtime.query(database.uuid, sql);
      return result(
        c,
        answers.map(({ results }) => ({ results, success: true, meta })),
      );
    });

    this.on(account, "GET", "/queues", (c) => {
      const names = c.req.queries("name");
      const found = state.queues.filter(({ queue_name }) => names === undefined || names.includes(queue_name));
      const counted = found.map((queue) => ({
        ...queue,
        producers: [],
        producers_total_count: 0,
        consumers_total_count: queue.consumers.length,
      }));
      return result(c, counted, { page: 1, per_page: 100, total_count: found.length });
    });
    this.on(account, "POST", "/queues", async (c) => {
      const { queue_name } = await c.req.json();
      if (state.queues.some((queue) => queue.queue_name === queue_name))
        return refusal(c, 409, 11009, "Queue name is already taken");
      const made = { queue_id: randomBytes(16).toString("hex"), queue_name, consumers: [] };
      state.queues.push(made);
      return result(c, made);
    });
    const queueOf = (c: Context) => state.queues.find(({ queue_id }) => queue_id === c.req.param("queue"));
    this.on(account, "POST", "/queues/:queue/consumers", async (c) => {
      const { script_name, settings } = await c.req.json();
      queueOf(c)?.consumers.push({ type: "worker", consumer_id: randomUUID(), script: script_name, settings });
      return result(c, {});
    });
    this.on(account, "PUT", "/queues/:queue/consumers/:consumer", async (c) => {
      const { settings } = await c.req.json();
      const consumer = queueOf(c)?.consumers.find(({ consumer_id }) => consumer_id === c.req.param("consumer"));
      if (consumer === undefined) return refusal(c, 404, 11003, "Consumer not found");
      consumer.settings = settings;
      return result(c, consumer);
    });

    this.workers(account);
    app.route(at, account);
    app.all("/served/:host/*", (c) => this.served(c));
    app.notFound((c) => {
      this.calls.push(`UNKNOWN ${c.req.method} ${c.req.path}`);
      return refusal(c, 404, 7000, "No route for that URI");
    });
    app.onError((error, c) => refusal(c, 500, 10013, `the stand-in has failed: ${error.stack}`));
  }

  private workers(account: Hono): void {
    const { state } = this;
    const scriptOf = (c: Context) => state.scripts.get(c.req.param("script") ?? "");
    const missing = (c: Context) => refusal(c, 404, 10007, "This Worker does not exist on your account.");
    const inScript = (handle: (c: Context, script: Script) => Response | Promise<Response>) => (c: Context) => {
      const script = scriptOf(c);
      return script === undefined ? missing(c) : handle(c, script);
    };

    this.on(account, "GET", "/workers/services/:script", (c) => {
      const script = scriptOf(c);
      if (script === undefined) return refusal(c, 404, 10090, "This service does not exist on your account.");
      const { tag, tags, migrationTag } = script;
      const shown = {
        tag,
        tags,
        last_deployed_from: "wrangler",
        ...(migrationTag ? { migration_tag: migrationTag } : {}),
      };
      return result(c, { default_environment: { environment: "production", script: shown } });
    });
    this.on(account, "GET", "/workers/subdomain", (c) =>
      state.subdomain === null
        ? refusal(c, 404, 10007, "There is no subdomain.")
        : result(c, { subdomain: state.subdomain }),
    );
    this.on(
      account,
      "GET",
      "/workers/scripts/:script/secrets",
      inScript((c, script) => {
        const secrets = (deployedOf(script)?.bindings ?? []).filter(({ type }) => type === "secret_text");
        return result(
          c,
          secrets.map(({ name, type }) => ({ name, type })),
        );
      }),
    );
    this.on(
      account,
      "GET",
      "/workers/scripts/:script/settings",
      inScript((c, script) => result(c, { bindings: (deployedOf(script)?.bindings ?? []).map(hidden) })),
    );
    this.on(
      account,
      "GET",
      "/workers/scripts/:script/deployments",
      inScript((c, { deployments }) => {
        const shown = deployments.map((id) => ({
          id: randomUUID(),
          source: "wrangler",
          strategy: "percentage",
          versions: [{ version_id: id, percentage: 100 }],
        }));
        return result(c, { deployments: shown.reverse() });
      }),
    );
    this.on(
      account,
      "POST",
      "/workers/scripts/:script/deployments",
      inScript(async (c, script) => {
        const { versions } = await c.req.json();
        script.deployments.push(versions[0].version_id);
        return result(c, { id: randomUUID() });
      }),
    );
    this.on(
      account,
      "GET",
      "/workers/scripts/:script/versions/:version",
      inScript((c, script) => {
        const version = script.versions.find(({ id }) => id === c.req.param("version"));
        if (version === undefined) return refusal(c, 404, 10007, "There is no such version.");
        return result(c, { id: version.id, metadata: {}, resources: { bindings: version.bindings.map(hidden) } });
      }),
    );
    this.on(
      account,
      "POST",
      "/workers/scripts/:script/versions",
      inScript(async (c, script) => {
        const { version } = await uploaded(await c.req.formData(), script);
        script.versions.push(version);
        return result(c, { id: version.id, startup_time_ms: 1, resources: { script: { etag: "e" } } });
      }),
    );
    this.on(account, "PUT", "/workers/scripts/:script", async (c) => {
      const name = c.req.param("script") ?? "";
      const script = scriptOf(c) ?? newScript();
      const { version, migrationTag, oldTag } = await uploaded(await c.req.formData(), script);
      if (migrationTag !== null && oldTag !== script.migrationTag)
        return refusal(c, 409, 10079, `Migration tag precondition failed; the current tag is ${script.migrationTag}`);
      script.versions.push(version);
      script.deployments.push(version.id);
      script.migrationTag = migrationTag ?? script.migrationTag;
      state.scripts.set(name, script);
      return result(c, { id: name, etag: "e", deployment_id: version.id.replaceAll("-", ""), startup_time_ms: 1 });
    });
    this.on(
      account,
      "PATCH",
      "/workers/scripts/:script/script-settings",
      inScript(async (c, script) => {
        const { tags } = await c.req.json();
        script.tags = tags ?? script.tags;
        return result(c, {});
      }),
    );
    this.on(
      account,
      "GET",
      "/workers/workers/:script",
      inScript((c, { onWorkersDev }) => result(c, { subdomain: { enabled: onWorkersDev, previews_enabled: false } })),
    );
    this.on(
      account,
      "POST",
      "/workers/scripts/:script/subdomain",
      inScript(async (c, script) => {
        const { enabled } = await c.req.json();
        script.onWorkersDev = enabled;
        return result(c, { enabled, previews_enabled: false });
      }),
    );
    this.on(
      account,
      "PUT",
      "/workers/scripts/:script/schedules",
      inScript(async (c, script) => {
        script.schedules = ((await c.req.json()) as { cron: string }[]).map(({ cron }) => cron);
        return result(c, { schedules: [] });
      }),
    );
    this.on(
      account,
      "POST",
      "/workers/scripts/:script/domains/changeset",
      inScript((c) => result(c, { added: [], removed: [], updated: [], conflicting: [] })),
    );
    this.on(
      account,
      "PUT",
      "/workers/scripts/:script/domains/records",
      inScript(async (c, script) => {
        const { origins } = (await c.req.json()) as { origins: { hostname: string }[] };
        script.domains = origins.map(({ hostname }) => hostname);
        return result(c, {});
      }),
    );
  }

  /** A request to `https://<host>/…`, as the preloaded fetch of the deploying process sends it here. */
  private async served(c: Context): Promise<Response> {
    const host = c.req.param("host") ?? "";
    const found = [...this.state.scripts].find(
      ([name, { onWorkersDev, domains }]) =>
        (onWorkersDev && host === `${name}.${this.state.subdomain}.workers.dev`) || domains.includes(host),
    );
    if (found === undefined) return c.text("There is nothing here yet", 404);
    const [name, script] = found;
    const path = c.req.url.slice(c.req.url.indexOf(host) + host.length);
    const request = new Request(`${this.url}${path}`, c.req.raw);
    const label = `${c.req.method} ${path.split("?")[0]?.replace(/[0-9a-f-]{36}/, ":id")}`;
    return this.watched(c, label, () => this.runtime.serve(name, script, request));
  }

  private on(app: Hono, method: string, path: string, handle: (c: Context) => Response | Promise<Response>): void {
    app.on(method, path, (c) => {
      const sql = path.endsWith("/query") ? (c.req.raw.clone().json() as Promise<{ sql: string }>) : null;
      return this.watched(c, `${method} ${path}`, async () => handle(c), sql);
    });
  }

  private async watched(
    c: Context,
    label: string,
    handle: () => Promise<Response>,
    asked: Promise<{ sql: string }> | null = null,
  ): Promise<Response> {
    const name = asked === null ? label : `${label} ${firstOf((await asked).sql)}`;
    this.calls.push(name);
    if (!/^GET|SELECT$/.test(name)) this.changes.push(name);
    const fault = this.faults.get(name);
    if (fault === "refused") {
      this.onFault();
      return refusal(c, 500, 10013, "An unknown error has occurred.");
    }
    const answer = await handle();
    if (fault === undefined) return answer;
    this.onFault();
    if (fault === "hangs") await new Promise(() => {});
    return refusal(c, 500, 10013, "An unknown error has occurred.");
  }
}

const result = (c: Context, value: unknown, info?: object) =>
  c.json({ success: true, errors: [], messages: [], result: value, ...(info ? { result_info: info } : {}) });

const refusal = (c: Context, status: 400 | 403 | 404 | 409 | 500, code: number, message: string) =>
  c.json({ success: false, errors: [{ code, message }], messages: [], result: null }, status);

const hidden = ({ text, ...binding }: Binding) =>
  binding.type === "secret_text" || text === undefined ? binding : { ...binding, text };

/** The first statement's verb, and the table it makes. */
function firstOf(sql: string): string {
  const [, verb = "", table = ""] = /^\s*(\w+)(?: TABLE(?: IF NOT EXISTS)? ["`]?(\w+))?/.exec(sql) ?? [];
  return `${verb} ${table}`.trim();
}

const newScript = (): Script => ({
  tag: randomBytes(16).toString("hex"),
  tags: [],
  migrationTag: null,
  versions: [],
  deployments: [],
  schedules: [],
  onWorkersDev: false,
  domains: [],
});

interface Upload {
  readonly version: Version;
  /** Which migration of the Durable Object classes it brings, and after which one. */
  readonly migrationTag: string | null;
  readonly oldTag: string | null;
}

/** The multipart form of an upload: metadata, and a file for each module. */
async function uploaded(form: FormData, script: Script): Promise<Upload> {
  const metadata = JSON.parse(await textOf(form.get("metadata")));
  const modules: Module[] = [];
  for (const [name, part] of form) {
    if (!(part instanceof File) || part.type === "application/source-map" || name === "metadata") continue;
    const type = part.type.startsWith("application/javascript") ? "ESModule" : "Data";
    modules.push({ name, type, contents: new Uint8Array(await part.arrayBuffer()) });
  }
  const before = deployedOf(script)?.bindings ?? [];
  const given = (metadata.bindings as Binding[]).map((binding) =>
    binding.type === "inherit" ? (before.find(({ name }) => name === binding.name) ?? binding) : binding,
  );
  const kept = before.filter(
    ({ type, name }) => metadata.keep_bindings?.includes(type) && !given.some((binding) => binding.name === name),
  );
  const version = {
    id: randomUUID(),
    bindings: [...given, ...kept],
    modules,
    main: metadata.main_module,
    compatibilityDate: metadata.compatibility_date,
    compatibilityFlags: metadata.compatibility_flags,
  };
  const { new_tag = null, old_tag = null } = metadata.migrations ?? {};
  return { version, migrationTag: new_tag, oldTag: old_tag };
}

async function textOf(part: File | string | null): Promise<string> {
  return part instanceof File ? part.text() : (part ?? "");
}
