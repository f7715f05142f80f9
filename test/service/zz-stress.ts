import { OwnService } from "/work/main/test/service/harness/service.ts";
const service = new OwnService();
try {
  await service.ready();
  for (let round = 0; round < 4; round++) {
    await Promise.all(Array.from({ length: 12 }, async (_, i) => {
      const tenant = await service.newTenant();
      const handler = `h${i}`;
      const dueAt = Date.now() + 3000;
      const { id } = await tenant.create({ handler, scheduled_for: new Date(dueAt).toISOString() });
      const t0 = Date.now();
      const body = { handlers: [handler], wait_time_seconds: 20 };
      const leaving = AbortSignal.timeout(Math.max(0, dueAt + i * 6 - Date.now()));
      const answer: any = await tenant.call("POST", "/v1/worker/jobs/claim", body, leaving).catch((e) => ({ e: e.message }));
      const t1 = Date.now();
      const first = answer.body?.data;
      const claimed: any = first ?? (await tenant.claim(handler, 15));
      const t2 = Date.now();
      if (!claimed) { console.log(`NONE ${id} i=${i} first=${JSON.stringify(answer.e ?? answer.body)} ${JSON.stringify(await tenant.executions(id))}`); return; }
      const done = await tenant.say("complete", claimed);
      if (done.status !== 200) console.log(`BAD ${done.status} i=${i} ${first ? "first" : "second"} due ${dueAt} t0 ${t0 - dueAt} t1 ${t1 - dueAt} t2 ${t2 - dueAt} now ${Date.now() - dueAt}\n ${JSON.stringify(done.body)}\n claimed ${JSON.stringify(claimed)}\n first ${JSON.stringify(answer.e ?? answer.body)}\n ${JSON.stringify(await tenant.job(id))}\n${JSON.stringify(await tenant.executions(id))}\n${service.log.split("\n").filter((l) => l.includes(id)).join("\n")}`);
    }));
    console.log("round", round);
  }
} finally { await service.stop(); }
