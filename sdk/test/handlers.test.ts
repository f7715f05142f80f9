// What a job waits on, and the list of handlers, as a program reads them.

import { expect, it } from "vitest";
import { pass, setUp } from "./setup.ts";

const HANDLERS = /\/v1\/handlers$/;
const JOB = /\/v1\/jobs\/[^/]+$/;

const answer = (data: unknown, paging?: object) => () =>
  Response.json({ success: true, message: "OK", data, ...(paging && { meta: { paging } }) });

it("a job that is read says what it waits on, its times as Dates", async () => {
  const { chronos, line, app } = setUp();
  const { id } = await chronos.jobs.create({ name: "One", handler: "hello" });
  const waiting_on = {
    reason: "no_worker",
    message: "No worker has asked for `hello`.",
    since: "2030-01-01T12:00:00.000Z",
    until: null,
  };
  line.breaks(JOB, answer({ ...app.job(id), waiting_on }));
  const { waitingOn } = await chronos.jobs.get(id);
  expect(waitingOn).toEqual({ ...waiting_on, since: new Date(waiting_on.since) });
  line.breaks(JOB, answer({ ...app.job(id), waiting_on: { ...waiting_on, until: "2030-01-01T13:00:00.000Z" } }));
  expect((await chronos.jobs.get(id)).waitingOn?.until).toEqual(new Date("2030-01-01T13:00:00.000Z"));
});

it("of one that waits for nothing it is null, and of one that was not asked undefined", async () => {
  const { chronos, line, app } = setUp();
  const created = await chronos.jobs.create({ name: "One", handler: "hello" });
  expect(created.waitingOn).toBeUndefined();
  line.breaks(JOB, answer({ ...app.job(created.id), waiting_on: null }));
  expect((await chronos.jobs.get(created.id)).waitingOn).toBeNull();
});

it("handlers are listed page by page, in camelCase", async () => {
  const { chronos, line } = setUp();
  const hello = {
    handler: "hello",
    unavailable: false,
    waiting: 2,
    oldest_due_at: "2030-01-01T12:00:00.000Z",
    last_poll_at: "2030-01-01T12:00:01.000Z",
    workers: [{ worker_id: "worker-1", last_poll_at: "2030-01-01T12:00:01.000Z" }],
  };
  const unknown = { unavailable: true, waiting: null, oldest_due_at: null, last_poll_at: null, workers: null };
  const paging = { pages: 2, size: 1, total: 2 };
  line.breaks(HANDLERS, answer([hello], { ...paging, page: 1 }));
  line.breaks(HANDLERS, answer([{ handler: "other", ...unknown }], { ...paging, page: 2 }));
  const all = [];
  for await (const one of chronos.handlers.list({ size: 1 })) all.push(one);
  const at = new Date("2030-01-01T12:00:01.000Z");
  expect(all).toEqual([
    {
      handler: "hello",
      unavailable: false,
      waiting: 2,
      oldestDueAt: new Date("2030-01-01T12:00:00.000Z"),
      lastPollAt: at,
      workers: [{ workerId: "worker-1", lastPollAt: at }],
    },
    { handler: "other", unavailable: true, waiting: null, oldestDueAt: null, lastPollAt: null, workers: null },
  ]);
  expect(line.sentTo(HANDLERS).map(({ query }) => String(query))).toEqual(["size=1", "page=2&size=1"]);
});

it("a list that met a passing fault is asked for again", async () => {
  const { chronos, line } = setUp();
  line.breaks(HANDLERS, "lost");
  line.breaks(HANDLERS, answer([], { page: 1, pages: 0, size: 20, total: 0 }));
  const page = chronos.handlers.list().page();
  await pass(60_000);
  expect((await page).items).toEqual([]);
});
