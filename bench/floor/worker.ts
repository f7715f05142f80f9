// The floors: what an answer costs in this workerd; one row in D1; one row and one object with its alarm, the least that a
// job can cost; for a pulled job, an object that is opened, written twice and emptied. No key, no limit, no validation, no state
// machine, no report, and no record that a call has begun.

import { DurableObject } from "cloudflare:workers";
import { Hono } from "hono";

interface Task {
  readonly id: string;
  readonly due: number;
  readonly url: string;
}

type Bindings = { DB: D1Database; JOBS: DurableObjectNamespace<JobObject> };

export class JobObject extends DurableObject {
  async arm(task: Task): Promise<void> {
    this.ctx.storage.kv.put("task", task);
    this.ctx.storage.setAlarm(task.due);
  }

  override async alarm(): Promise<void> {
    const task = this.ctx.storage.kv.get<Task>("task");
    if (!task) return;
    const { id, due, url } = task;
    const answer = await fetch(url, { method: "POST", body: JSON.stringify({ id, due }) });
    await answer.body?.cancel();
    await this.ctx.storage.deleteAll();
  }

  async lease(): Promise<void> {
    const task = this.ctx.storage.kv.get<Task>("task");
    this.ctx.storage.kv.put("task", { ...task, leased: true });
  }

  async settle(): Promise<void> {
    const task = this.ctx.storage.kv.get<Task>("task");
    this.ctx.storage.kv.put("task", { ...task, ended: true });
    await this.ctx.storage.sync();
    await this.ctx.storage.deleteAll();
  }
}

/** The configuration of the service names them. */
export class PullQueue extends DurableObject {}
export class ScheduleObject extends DurableObject {}
export class BulkActionObject extends DurableObject {}
export class FlowObject extends DurableObject {}
export class AccountMoveObject extends DurableObject {}
export class Projector extends DurableObject {}

export default new Hono<{ Bindings: Bindings }>()
  .post("/noop", (c) => c.json({ success: true }, 201))

  .post("/setup", async (c) => {
    await c.env.DB.exec("CREATE TABLE IF NOT EXISTS floor (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID");
    return c.json({ success: true });
  })

  .post("/rows", async (c) => {
    const task = await c.req.json<Task>();
    const id = await inserted(c.env, task);
    return c.json({ id, due: task.due }, 201);
  })

  .post("/rows/batch", async (c) => {
    const tasks = await c.req.json<Task[]>();
    const rows = tasks.map((task) => ({ id: crypto.randomUUID(), task }));
    await c.env.DB.prepare("INSERT INTO floor SELECT value ->> 'id', value ->> 'task' FROM json_each(?)")
      .bind(JSON.stringify(rows))
      .run();
    return c.json({ ids: rows.map(({ id }) => id) }, 201);
  })

  .post("/objects", async (c) => {
    const task = await c.req.json<Task>();
    await c.env.JOBS.getByName(task.id).arm(task);
    return c.json({ id: task.id }, 201);
  })

  .post("/lease", async (c) => {
    const { names } = await c.req.json<{ names: string[] }>();
    await Promise.all(names.map((name) => c.env.JOBS.getByName(name).lease()));
    return c.json({ success: true });
  })

  .post("/settle", async (c) => {
    const { names } = await c.req.json<{ names: string[] }>();
    await Promise.all(names.map((name) => c.env.JOBS.getByName(name).settle()));
    return c.json({ success: true });
  })

  .post("/jobs", async (c) => {
    const task = await c.req.json<Task>();
    const id = await inserted(c.env, task);
    await c.env.JOBS.getByName(id).arm({ ...task, id });
    return c.json({ id, due: task.due }, 201);
  });

async function inserted({ DB }: Bindings, task: Task): Promise<string> {
  const id = crypto.randomUUID();
  await DB.prepare("INSERT INTO floor VALUES (?, ?)").bind(id, JSON.stringify(task)).run();
  return id;
}
