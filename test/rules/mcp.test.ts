// What an assistant is answered is bounded, and pages of others are not heard.

import { describe, expect, it } from "vitest";
import { bounded, MAX_ANSWER } from "../../src/mcp/answer.ts";
import { faultIn } from "../../src/mcp/arguments.ts";
import { isWelcome } from "../../src/mcp/origin.ts";

describe("an answer", () => {
  const of = (data: unknown) => JSON.stringify({ success: true, message: "Jobs.", data });
  const SHORT = of("");

  it("is left as it was sent up to the limit", () => {
    const fits = of("x".repeat(MAX_ANSWER - SHORT.length));
    expect(fits.length).toBe(MAX_ANSWER);
    expect(bounded(fits)).toBe(fits);
    expect(bounded('{"payload":{"n":12345678901234567890}}')).toBe('{"payload":{"n":12345678901234567890}}');
  });

  it("above it loses the ends of long values, and nothing else", () => {
    const job = {
      id: "an id",
      payload: { text: "p".repeat(MAX_ANSWER) },
      last_error: { message: "m".repeat(501) },
      name: "n".repeat(500),
    };
    const { data } = JSON.parse(bounded(of([job])));
    expect(data[0]).toEqual({
      id: "an id",
      payload: `{"text":"${"p".repeat(491)}… (cut: ${MAX_ANSWER + 11} characters)`,
      last_error: { message: `${"m".repeat(500)}… (cut: 501 characters)` },
      name: "n".repeat(500),
    });
  });

  it("is cut when that is not enough, never inside a character", () => {
    const text = bounded(of(Array.from({ length: 400 }, (_, i) => ({ id: i, tags: Array(60).fill("🕰") }))));
    expect([text.length, text.isWellFormed()]).toEqual([MAX_ANSWER, true]);
    expect(text).toMatch(/… \(cut: \d+ characters in all\. Ask for fewer with `size`, or for one with its id\.\)$/);
  });
});

describe("arguments", () => {
  it.each([
    [{ id: "an id", n: [1.5, 2 ** 53 - 1, -0, 1e-9], text: "🕰", none: null }, undefined],
    [{ n: 1 }, "id: Is required."],
    [{ id: 4711 }, "id: Is required."],
    [{ id: "" }, "id: Is required."],
    [{ id: "." }, 'id: Must not be "." or "..".'],
    [{ id: ".." }, 'id: Must not be "." or "..".'],
    [{ id: "an id", name: ".." }, undefined],
    [
      { id: "an id", payload: { list: [1, 2 ** 53] } },
      "payload.list.1: Numbers beyond 2^53 lose digits here. Send it as a text, or over the API.",
    ],
    [
      { id: "an id", size: Number.POSITIVE_INFINITY },
      "size: Numbers beyond 2^53 lose digits here. Send it as a text, or over the API.",
    ],
    [{ id: "an id", tag: ["\ud800"] }, "tag.0: Must be well-formed Unicode: it holds half of a surrogate pair."],
  ])("%j: %s", (args, fault) => {
    expect(faultIn(args, ["id"])).toBe(fault);
  });
});

describe("a page in a browser", () => {
  const OWN = ["chronos.example.com", "127.0.0.1:8787"];

  it.each([
    [undefined, true],
    ["https://chronos.example.com", true],
    ["http://localhost:6274", true],
    ["http://127.0.0.1:3000", true],
    ["http://[::1]:3000", true],
    ["https://evil.example.com", false],
    ["https://chronos.example.com.evil.test", false],
    ["https://localhost.evil.test", false],
    ["null", false],
    ["", false],
  ])("of the origin %s is welcome: %s", (origin, welcome) => {
    expect(isWelcome(origin, OWN)).toBe(welcome);
  });
});
