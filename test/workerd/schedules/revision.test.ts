// `ETag` and `If-Match` of schedules (contract §1): a change may be laid upon the revision that was read, and no other.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount } from "../harness/account.ts";
import { api } from "../harness/api.ts";
import { HOUR, NOON, setClock } from "../harness/clock.ts";
import { HOURLY, newSchedule, type ScheduleJson, type ScheduleUnderTest, unheardSchedule } from "./schedule.ts";

const FIRST = NOON + HOUR;

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const read = async (schedule: ScheduleUnderTest) => {
  const { body, headers } = await schedule.call("GET");
  return { etag: headers.get("ETag") ?? "", schedule: body.data };
};

const patch = (schedule: ScheduleUnderTest, etag: string) => schedule.patch({ name: "new" }, { "If-Match": etag });

it("ETag is the revision in quotes, on GET and on PATCH", async () => {
  const schedule = await newSchedule(account);
  expect(await read(schedule)).toMatchObject({ etag: '"0"', schedule: { revision: 0 } });
  const { headers, body } = await schedule.patch({ name: "new" });
  expect([headers.get("ETag"), body.data.revision]).toEqual(['"1"', 1]);
  expect(await read(schedule)).toMatchObject({ etag: '"1"', schedule: { revision: 1 } });
});

describe("the revision is the same as long as nothing changes", () => {
  it("from the creation on, whether its owner has heard of it or not", async () => {
    for (const schedule of [await newSchedule(account), await unheardSchedule(account)]) {
      const first = await read(schedule);
      await schedule.wake();
      await schedule.evict();
      expect(await read(schedule)).toEqual(first);
      expect((await patch(schedule, first.etag)).status).toBe(200);
    }
  });

  it("when a change is reported, and its report repeated", async () => {
    const schedule = await newSchedule(account);
    await schedule.patch({ name: "new" });
    const first = await read(schedule);
    await schedule.wake();
    await schedule.ringAt(NOON + 5_000);
    await schedule.wipe();
    expect(await read(schedule)).toEqual(first);
  });

  it("of a paused and of an archived schedule, in its owner's hands and in its row", async () => {
    for (const action of ["pause", "archive"] as const) {
      const schedule = await newSchedule(account);
      await schedule[action]();
      const first = await read(schedule);
      for (let ring = 0; ring < 3 && (await schedule.alarm()) !== null; ring++) await schedule.ringWhenSet();
      expect(await read(schedule)).toEqual(first);
      setClock(NOON);
    }
  });
});

describe("If-Match", () => {
  it("of the present revision lets the change through", async () => {
    const schedule = await newSchedule(account);
    expect((await patch(schedule, (await read(schedule)).etag)).body.data).toMatchObject({ name: "new", revision: 1 });
  });

  it.each(["*", '"7", "0"', ' "0" '])("of %s lets it through", async (tags) => {
    expect((await patch(await newSchedule(account), tags)).status).toBe(200);
  });

  it.each(['"1"', '"7", "8"', '"x"', 'W/"0"', "0", '""'])(
    "of %s does not: 412, and nothing is changed",
    async (tags) => {
      const schedule = await newSchedule(account);
      const before = await schedule.show();
      const { status, body } = await patch(schedule, tags);
      expect([status, body.code, body.errors, body.data]).toEqual([412, "precondition_failed", [], before]);
      expect(await schedule.show()).toEqual(before);
    },
  );

  it.each<[string, (schedule: ScheduleUnderTest) => Promise<unknown>]>([
    ["a change", (schedule) => schedule.patch({ description: "said" })],
    ["a run", (schedule) => schedule.ringAt(FIRST)],
    ["a pause", (schedule) => schedule.pause()],
    ["an end", (schedule) => schedule.archive()],
  ])("of what was read before %s is 412 with the schedule as it is now", async (_, happens) => {
    const schedule = await newSchedule(account);
    const { etag } = await read(schedule);
    await happens(schedule);
    const { status, body } = await patch(schedule, etag);
    expect([status, body.data]).toEqual([412, await schedule.show()]);
    expect(body.data).toMatchObject({ name: "a schedule", revision: 1 });
  });

  it("is held against a change that comes between the reading and the writing, too", async () => {
    const schedule = await newSchedule(account);
    let isFirst = true;
    const get = async (ref: ScheduleUnderTest["ref"]) => {
      const seen = await schedule.owner.get(ref);
      if (isFirst) await schedule.patch({ description: "said" });
      isFirst = false;
      return seen;
    };
    const amend = (...asked: Parameters<ScheduleUnderTest["owner"]["amend"]>) => schedule.owner.amend(...asked);
    const { status, body } = await api<ScheduleJson>("PATCH", `/v1/schedules/${schedule.id}`, {
      key: account.key,
      body: { name: "new" },
      headers: { "If-Match": '"0"' },
      env: { SCHEDULES: { ...env.SCHEDULES, getByName: () => ({ get, amend }) } },
    });
    expect([status, body.data]).toMatchObject([412, { name: "a schedule", description: "said", revision: 1 }]);
    expect(await schedule.show()).toMatchObject({ name: "a schedule", description: "said" });
  });

  it("of many changes laid upon one revision lets one through", async () => {
    const schedule = await newSchedule(account, HOURLY);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => schedule.patch({ name: `no. ${n}` }, { "If-Match": '"0"' })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array(9).fill(412)]);
    expect(await schedule.show()).toMatchObject({ revision: 1 });
  });
});
