// The thinnest HTTP front: it validates nothing, enqueues, and answers with the job's id.  front.ts <peer> <store> <port>
// POST /bulk makes many at once, for filling.

import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { HOST } from "../src/processes.ts";
import { adapterOf } from "./adapter-of.ts";
import type { PeerJob } from "./peer.ts";

const [name = "", store = "", port = ""] = process.argv.slice(2);
const jobs = await (await adapterOf(name)).producer(store);

const app = new Hono()
  .post("/v1/jobs", async (c) => {
    const job = await c.req.json<PeerJob>();
    return c.json({ id: await jobs.create(job), due: job.due }, 201);
  })
  .post("/v1/jobs/batch", async (c) => {
    const body = await c.req.json<{ jobs: PeerJob[] }>();
    await jobs.bulk(body.jobs);
    return c.json({ count: body.jobs.length }, 201);
  })
  .post("/bulk", async (c) => {
    const { count, job } = await c.req.json<{ count: number; job: PeerJob }>();
    await jobs.bulk(Array<PeerJob>(count).fill(job));
    return c.json({ count }, 201);
  });

serve({ fetch: app.fetch, hostname: HOST, port: Number(port) }, () => process.send?.("ready"));
for (const event of ["SIGTERM", "disconnect"]) process.on(event, () => process.exit(0));
