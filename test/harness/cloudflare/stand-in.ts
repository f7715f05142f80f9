// A stand-in for Cloudflare's API, as far as wrangler calls it to deploy: an account with state, that can be made to fail
// at any call, and whose Workers really run. Its answers follow wrangler's source and Cloudflare's API reference;
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
import { refusal, result } from "./answers.ts";
import { Runtime } from "./runtime.ts";
import { ACCOUNT, State } from "./state.ts";
import { addWorkers } from "./workers.ts";

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
  /** Requests that the deployed Workers have sent out. Every host answers 200. */
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

  /** The value of CLOUDFLARE_API_BASE_URL. */
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

    addWorkers(state, (method, path, handle) => this.on(account, method, path, handle));
    app.route(at, account);
    app.all("/served/:host/*", (c) => this.served(c));
    app.notFound((c) => {
      this.calls.push(`UNKNOWN ${c.req.method} ${c.req.path}`);
      return refusal(c, 404, 7000, "No route for that URI");
    });
    app.onError((error, c) => refusal(c, 500, 10013, `the stand-in has failed: ${error.stack}`));
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

/** The first statement's verb, and the table it makes. */
function firstOf(sql: string): string {
  const [, verb = "", table = ""] = /^\s*(\w+)(?: TABLE(?: IF NOT EXISTS)? ["`]?(\w+))?/.exec(sql) ?? [];
  return `${verb} ${table}`.trim();
}
