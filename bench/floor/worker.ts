// The two floors: what an answer costs in this workerd, and the least that this design can cost: one row in D1 and one object
// with its alarm. No key, no limit, no validation, no state machine, no report.

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
}

/** The configuration of the service names them. */
export class PullQueue extends DurableObject {}
export class ScheduleObject extends DurableObject {}

export default new Hono<{ Bindings: Bindings }>()
  .post("/noop", (c) => c.json({ success: true }, 201))

  .post("/setup", async (c) => {
    await c.env.DB.exec("CREATE TABLE IF NOT EXISTS floor (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID");
    return c.json({ success: true });
  })

  .post("/jobs", async (c) => {
    const { due, url } = await c.req.json<Task>();
    const id = crypto.randomUUID();
    await c.env.DB.prepare("INSERT INTO floor VALUES (?, ?)").bind(id, JSON.stringify({ due, url })).run();
    await c.env.JOBS.getByName(id).arm({ id, due, url });
    return c.json({ id, due }, 201);
  });
