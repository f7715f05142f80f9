import { describe, expect, it } from "vitest";
import type { Schedule } from "../../dashboard/src/api/schedule.ts";
import {
  bodyOf,
  changesOf,
  type Draft,
  draftOf,
  EMPTY,
  timingOf,
} from "../../dashboard/src/screens/schedules/draft.ts";
import { intervalWords, localWords } from "../../dashboard/src/screens/schedules/recurrence.ts";
import { fieldsToJson } from "../../sdk/src/raw-json.ts";

const draft = (more: Partial<Draft>): Draft => ({ ...EMPTY, name: "n", handler: "h", ...more });

/** As it is sent. */
const sent = (answer: ReturnType<typeof bodyOf>): string | undefined =>
  "body" in answer ? fieldsToJson(answer.body) : undefined;

describe("the request for a new schedule", () => {
  it("has what was filled in, and leaves out what was not", () => {
    expect(JSON.parse(sent(bodyOf(draft({}))) ?? "")).toEqual({
      ...{ name: "n", handler: "h", cron: "0 9 * * *", timezone: "UTC", delivery: { type: "pull" } },
      ...{ timeout: 30, max_retries: 3, overlap: "allow" },
    });
  });

  it("carries a payload as it was typed", () => {
    const payload = '{ "n": 12345678901234567890, "n": 1.0 }';
    expect(sent(bodyOf(draft({ payload })))).toContain(`"payload":${payload}`);
    expect(bodyOf(draft({ payload: "{" }))).toEqual({ fault: { field: "payload", message: "Is not JSON." } });
  });

  it("reads headers line by line, with colons in their values", () => {
    const push = { delivery: "push", url: " https://a.example/ " } as const;
    expect(JSON.parse(sent(bodyOf(draft({ ...push, headers: "A: b:c\n\n  X-Y :z" }))) ?? "").delivery.http).toEqual({
      ...{ url: "https://a.example/", method: "POST", headers: { A: "b:c", "X-Y": "z" } },
    });
    expect(bodyOf(draft({ ...push, headers: "A: b\nnonsense" }))).toMatchObject({
      fault: { field: "delivery.http.headers", message: expect.stringContaining("nonsense") },
    });
  });

  it("sends what is no number as it is: the service says what is wrong with it", () => {
    expect(timingOf(draft({ recurs: "interval", every: "often", runs: "many" }))).toMatchObject({
      interval: { value: "often", unit: "minute" },
      runs: "many",
    });
    expect(timingOf(draft({ recurs: "interval", every: " 15 " }))).toEqual({
      ...{ interval: { value: 15, unit: "minute" }, timezone: "UTC" },
    });
  });

  it("splits tags at commas", () => {
    expect(JSON.parse(sent(bodyOf(draft({ tags: " a ,b c,, " }))) ?? "").tags).toEqual(["a", "b c"]);
  });
});

const schedule = {
  ...{ name: "n", description: "d", cron: "0 1 * * *", interval: null, timezone: "Europe/London", handler: "h" },
  ...{ delivery: { type: "pull" }, payload_text: '{"n":1}', timeout: 60, max_retries: 0, overlap: "skip", runs: 5 },
  ...{ stop_at: null, tags: ["a"], flow: "f" },
} as unknown as Schedule;

describe("the request for a change", () => {
  const before = draftOf(schedule);
  const changed = (more: Partial<Draft>) => changesOf(before, { ...before, ...more });

  it("has only what differs", () => {
    expect(changed({})).toEqual({ body: {} });
    expect(changed({ name: "m", timeout: "61" })).toEqual({ body: { name: "m", timeout: 61 } });
    expect(sent(changed({ payload: '{"n":1.0}' }))).toBe('{"payload":{"n":1.0}}');
  });

  it("names the whole timing when a part of it differs", () => {
    expect(changed({ timezone: "UTC" })).toEqual({
      body: { cron: "0 1 * * *", interval: undefined, timezone: "UTC" },
    });
    expect(changed({ recurs: "interval", every: "2", unit: "hour" })).toEqual({
      body: { cron: undefined, interval: { value: 2, unit: "hour" }, timezone: "Europe/London" },
    });
  });

  it("takes away what can be taken away, and says what cannot", () => {
    expect(changed({ tags: "", flow: "", description: "" })).toEqual({
      body: { tags: null, flow: null, description: "" },
    });
    for (const [name, field] of [
      ["runs", "runs"],
      ["payload", "payload"],
      ["handler", "handler"],
    ] as const)
      expect(changed({ [name]: "" })).toMatchObject({
        fault: { field, message: expect.stringContaining("not removed") },
      });
  });
});

it("intervals and local times read as people say them", () => {
  expect([intervalWords({ value: 1, unit: "hour" }), intervalWords({ value: 6, unit: "hour" })]).toEqual([
    ...["every hour", "every 6 hours"],
  ]);
  expect(localWords("2027-03-28T02:00:00.000+01:00")).toEqual({ clock: "Sun 2027-03-28 02:00", offset: "+01:00" });
  expect(localWords("2027-03-28T02:00:07.000-03:30")).toEqual({ clock: "Sun 2027-03-28 02:00:07", offset: "-03:30" });
});
