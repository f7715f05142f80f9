// The filters of the list: address, query and body say the same.

import { describe, expect, it } from "vitest";
import {
  bodyOf,
  FILTERS,
  filterIn,
  narrowed,
  queryOf,
  STATUS,
  withoutValue,
  withValue,
  wordsFor,
} from "../../dashboard/src/screens/jobs/filter.ts";
import { FilterQuery } from "../../src/routes/job-filter.ts";

const filter = (address: string) => filterIn(new URLSearchParams(address));

describe("the address", () => {
  it("offers every filter that the service knows, and no other", () => {
    expect([STATUS, ...FILTERS].map(({ name }) => name).sort()).toEqual(Object.keys(FilterQuery).sort());
  });

  it("keeps several statuses and tags, and of other fields the first", () => {
    expect(filter("tag=a&status=failed&tag=b&status=pending&handler=h&handler=i&tag=a")).toEqual([
      ["status", "failed"],
      ["status", "pending"],
      ["handler", "h"],
      ["tag", "a"],
      ["tag", "b"],
    ]);
  });

  it("leaves out what is no filter", () => {
    expect(filter("size=3&page=2&cursor=x&handler=&nonsense=1")).toEqual([]);
  });

  it("is the same after it was read and written", () => {
    const address =
      "status=failed&name=%3Cb%3E+%26&tag=a%2Cb&schedule_id=null&created_after=2026-01-01T00%3A00%3A00.000Z";
    expect(queryOf(filter(address)).toString()).toBe(address);
  });
});

describe("a value", () => {
  it("is added to what may have several, and replaces what has one", () => {
    const before = filter("tag=a&handler=h");
    expect(queryOf(withValue(before, "tag", "b")).toString()).toBe("handler=h&tag=a&tag=b");
    expect(queryOf(withValue(before, "handler", "i")).toString()).toBe("handler=i&tag=a");
    expect(queryOf(withoutValue(filter("tag=a&tag=b"), "tag", "a")).toString()).toBe("tag=b");
  });
});

describe("the body of a bulk action", () => {
  it("has lists where a field may have several", () => {
    expect(bodyOf(filter("status=failed&tag=a&tag=b&handler=h"))).toEqual({
      status: ["failed"],
      handler: "h",
      tag: ["a", "b"],
    });
  });

  it("says `all` without a filter", () => {
    expect(bodyOf([])).toEqual({ all: true });
  });

  it("is narrowed to the statuses that allow the change", () => {
    const asked = (address: string) => {
      const allowed = narrowed(filter(address), ["failed", "cancelled"]);
      return allowed && queryOf(allowed).toString();
    };
    expect(asked("handler=h")).toBe("status=failed&status=cancelled&handler=h");
    expect(asked("status=failed&status=completed")).toBe("status=failed");
    expect(asked("status=completed")).toBeNull();
  });

  it("reads as a sentence", () => {
    expect(wordsFor(filter("status=failed&idempotency_key=k"))).toBe("with status failed, idempotency key k");
    expect(wordsFor([])).toBe("all of this account");
  });
});
