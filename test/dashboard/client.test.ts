// What the dashboard makes of answers, addresses and keys.

import { describe, expect, it } from "vitest";
import { ApiError, wordsOf } from "../../dashboard/src/api/api-error.ts";
import { read } from "../../dashboard/src/api/envelope.ts";
import type { Execution } from "../../dashboard/src/api/job.ts";
import { paramsOf } from "../../dashboard/src/app/path-params.ts";
import { match } from "../../dashboard/src/keys/bindings.ts";
import { pauseAfter } from "../../dashboard/src/live/pause.ts";
import { requestOf } from "../../dashboard/src/screens/job/request.ts";
import { aJob } from "./a-listed-job.ts";

const refused = (status: number, headers: Record<string, string>, text: string): ApiError => {
  try {
    read(status, new Headers(headers), text);
  } catch (error) {
    if (error instanceof ApiError) return error;
  }
  throw new Error("It was not refused");
};

describe("an answer", () => {
  it("keeps payload and result as they were sent", () => {
    const text = '{"success":true,"message":"m","data":{"payload":{"n":9223372036854775808,"a":1.0},"result":null}}';
    const { data } = read<{ payload_text: string; result_text: null }>(200, new Headers(), text);
    expect([data.payload_text, data.result_text]).toEqual(['{"n":9223372036854775808,"a":1.0}', null]);
  });

  it("keeps them in lists, too, and tells of pages", () => {
    const text = '{"success":true,"message":"m","data":[{"payload":{"a":1.0}}],"meta":{"paging":{"total":1}}}';
    const { data, paging } = read<{ payload_text: string }[]>(200, new Headers(), text);
    expect([data[0]?.payload_text, paging?.total]).toEqual(['{"a":1.0}', 1]);
  });

  it("that refuses names fields, and the pause it asks for", () => {
    const text =
      '{"success":false,"code":"validation_error","message":"No.","errors":[{"field":"delivery.http.url","message":"Is private."}]}';
    const error = refused(422, { "Retry-After": "3" }, text);
    expect([error.status, error.code, error.retryAfterMs]).toEqual([422, "validation_error", 3_000]);
    expect(wordsOf(error)).toBe("No. delivery.http.url: Is private.");
  });

  it("that is none of ours is said to be one", () => {
    for (const text of ["<html>502</html>", "", "null", '{"error":1}'])
      expect(refused(502, {}, text).message).toBe("Something between here and the service answered with 502.");
  });
});

describe("the pause of a poll", () => {
  it("that fails doubles with each failure, up to 15 s, and is never shorter than asked for", () => {
    expect([1, 2, 3, 4, 9].map((failures) => pauseAfter(failures))).toEqual([2_000, 4_000, 8_000, 15_000, 15_000]);
    expect(pauseAfter(1, 30_000)).toBe(30_000);
  });
});

describe("a path", () => {
  it("gives the parts that its pattern names", () => {
    expect(paramsOf("/jobs/:id", "/jobs/a%20b")).toEqual({ id: "a b" });
    expect(paramsOf("/jobs/:id", "/jobs/%")).toEqual({ id: "%" });
    for (const path of ["/jobs", "/jobs/", "/jobs/a/b", "/other/a"])
      expect(paramsOf("/jobs/:id", path)).toBeUndefined();
  });
});

describe("keys", () => {
  const binding = (keys: string) => ({ keys, run: () => {} });
  const [j, gj] = [binding("j"), binding("g j")];

  it("are found alone, and after a first one", () => {
    expect(match([j, gj], "", "j")).toBe(j);
    expect(match([j, gj], "", "g")).toBe("more");
    expect(match([j, gj], "g", "j")).toBe(gj);
    expect(match([j, gj], "g", "x")).toBeUndefined();
  });

  it("of the latest layer come first", () => {
    const later = binding("j");
    expect(match([later, j], "", "j")).toBe(later);
  });
});

describe("the request of an attempt", () => {
  const execution = { id: "e", attempt: 2 } as Execution;
  const http = { url: "https://example.com", method: "POST" as const, headers: { "X-A": "1" } };

  it("is the push body, with the payload as it was sent", () => {
    const job = aJob({ delivery: { type: "push", http }, payload_text: '{"n":1.0}' });
    const request = requestOf(job, execution);
    expect(request?.body).toBe(
      `{"job_id":"${job.id}","handler":"send-mail","execution_id":"e","scheduled_for":"${job.scheduled_for}","attempt":2,"payload":{"n":1.0}}`,
    );
    expect(request?.headers[0]).toEqual(["X-A", "1"]);
  });

  it("has no body with GET, is an event's payload alone, and does not exist of a pull", () => {
    const get = aJob({ delivery: { type: "push", http: { ...http, method: "GET" } } });
    const event = aJob({ delivery: { type: "push", http }, origin: "event", payload_text: '{"type":"job.failed"}' });
    expect(requestOf(get, execution)?.body).toBeNull();
    expect(requestOf(event, execution)?.body).toBe('{"type":"job.failed"}');
    expect(requestOf(aJob(), execution)).toBeNull();
  });
});
