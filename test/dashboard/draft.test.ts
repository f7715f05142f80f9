// The form of a job: its texts become the body of a request, which the service's own schema accepts.

import { execFileSync } from "node:child_process";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { bodyOf, changesBetween } from "../../dashboard/src/screens/job-form/body.ts";
import { curlOf } from "../../dashboard/src/screens/job-form/curl.ts";
import { type Draft, draftOf, emptyDraft } from "../../dashboard/src/screens/job-form/draft.ts";
import { fieldsToJson } from "../../sdk/src/raw-json.ts";
import { NewJob } from "../../src/routes/job-input.ts";
import { AT, aJob } from "./a-listed-job.ts";

const draft = (more: Partial<Draft>): Draft => ({ ...emptyDraft("Europe/London"), name: "n", handler: "h", ...more });
const json = (of: Draft) => fieldsToJson({ ...bodyOf(of).body });

const FULL: Partial<Draft> = {
  delivery: "push",
  url: "https://example.com/hook",
  method: "PUT",
  headers: "X-Tenant: acme\n\nX-Empty-Line:  a : b ",
  when: "at",
  at: "2030-03-31T09:00",
  payload: '{"n": 9223372036854775808, "a": 1.0, "a": 2}',
  timeout: "60",
  maxRetries: "0",
  backoff: "list",
  backoffDelays: "10, 60,600",
  expiresValue: "2",
  expiresUnit: "day",
  tags: "a, b\nc",
  flow: "mail",
  idempotencyKey: "key",
  onConflict: "replace",
  failedUrl: "https://example.com/failed",
  failedHeaders: "X-A: 1",
};

describe("the body", () => {
  it("has nothing that was not filled in", () => {
    expect(json(draft({}))).toBe('{"name":"n","handler":"h","delivery":{"type":"pull"}}');
  });

  it("has every field as the contract names it", () => {
    const parsed = JSON.parse(json(draft(FULL)));
    expect(parsed).toEqual({
      name: "n",
      handler: "h",
      delivery: {
        type: "push",
        http: {
          url: "https://example.com/hook",
          method: "PUT",
          headers: { "X-Tenant": "acme", "X-Empty-Line": "a : b" },
        },
      },
      scheduled_for: "2030-03-31T09:00",
      timezone: "Europe/London",
      payload: { n: 9223372036854776000, a: 2 },
      timeout: 60,
      max_retries: 0,
      backoff: { type: "list", delays: [10, 60, 600] },
      expires_after: { value: 2, unit: "day" },
      tags: ["a", "b", "c"],
      flow: "mail",
      callbacks: { failed: { url: "https://example.com/failed", headers: { "X-A": "1" } } },
      idempotency_key: "key",
      on_conflict: "replace",
    });
    // The schema wants the payload's text, which it gets from the request.
    const { payload: _, ...others } = parsed;
    expect(v.safeParse(NewJob, others).issues).toBeUndefined();
  });

  it("carries the payload as it is written", () => {
    expect(json(draft(FULL))).toContain('"payload":{"n": 9223372036854775808, "a": 1.0, "a": 2}');
  });

  it("names a payload that is not JSON, and a line that is no header", () => {
    const { faults } = bodyOf(draft({ payload: "{", delivery: "push", headers: "no colon" }));
    expect(faults.map(({ field }) => field)).toEqual(["delivery.http.headers", "payload"]);
    expect(faults[0]?.message).toContain("no colon");
  });

  it("sends what is no number as it is, for the service to say what would be right", () => {
    expect(bodyOf(draft({ timeout: "soon" })).body.timeout).toBe("soon");
  });
});

describe("a duplicate", () => {
  it("asks for the same, but for time and key", () => {
    const { body } = bodyOf(draft(FULL));
    const job = aJob({
      name: "n",
      handler: "h",
      delivery: {
        type: "push",
        http: { url: "https://example.com/hook", method: "PUT", headers: { "X-Tenant": "acme" } },
      },
      payload_text: '{"n":1.0}',
      timeout: 60,
      max_retries: 0,
      backoff: { type: "list", delays: [10, 60, 600] },
      expires_at: "2026-11-29T06:00:00.000Z",
      tags: ["a", "b", "c"],
      flow: "mail",
      callbacks: { failed: { url: "https://example.com/failed", headers: { "X-A": "1" } } },
      idempotency_key: "key",
    });
    const again = bodyOf(draftOf(job, "UTC")).body;
    expect(Object.keys(body).filter((name) => !(name in again))).toEqual([
      "scheduled_for",
      "timezone",
      "idempotency_key",
      "on_conflict",
    ]);
    expect(again).toMatchObject({ tags: body.tags, backoff: body.backoff, callbacks: body.callbacks });
    expect(again.expires_after).toEqual({ value: 172_800, unit: "second" });
    expect(fieldsToJson({ ...again })).toContain('"payload":{"n":1.0}');
  });
});

describe("a change", () => {
  const before = draftOf(aJob({ payload_text: '{"n":1}', tags: ["a"], flow: "f", run_at: AT }), "UTC");

  it("is empty when nothing was changed", () => {
    expect(changesBetween(before, before)).toEqual({});
  });

  it("has what was changed, and null for what was emptied", () => {
    const after = { ...before, flow: "", tags: "", payload: '{"n":1.0}', timeout: "" };
    const changes = changesBetween(before, after);
    expect(JSON.parse(fieldsToJson({ ...changes }))).toEqual({
      payload: { n: 1 },
      timeout: null,
      tags: null,
      flow: null,
    });
    expect(fieldsToJson({ ...changes })).toContain("1.0");
  });

  it("has all of a time, and none when it was left", () => {
    expect(changesBetween(before, { ...before, when: "at", at: "2030-01-01T09:00" })).toEqual({
      scheduled_for: "2030-01-01T09:00",
      timezone: "UTC",
    });
    expect(changesBetween(before, { ...before, when: "delay", delayValue: "3" })).toEqual({
      delay: { value: 3, unit: "minute" },
    });
  });
});

describe("the command", () => {
  it("gives a shell exactly the body, whatever is in it", () => {
    const body = bodyOf(draft({ name: `it's $HOME \`id\` "quoted" \\ !`, payload: '{"n":9223372036854775808}' })).body;
    const command = curlOf("https://chronos.example.com", body).replace(/^curl/, "printf '%s\\n'");
    const args = execFileSync("sh", ["-c", command], {
      env: { ...process.env, CHRONOS_API_KEY: "chrns_x" },
      encoding: "utf8",
    });
    expect(args.trimEnd().split("\n")).toEqual([
      "https://chronos.example.com/v1/jobs",
      "-H",
      "Authorization: Bearer chrns_x",
      "-H",
      "Content-Type: application/json",
      "-d",
      fieldsToJson({ ...body }),
    ]);
  });
});
