// What the owner of a target reads when no answer came: what it may have been, and never a reference into another's log.

import { describe, expect, it } from "vitest";
import { networkMessage, statusHint } from "../../src/delivery/network-fault.ts";

const INTERNAL = new Error("internal error; reference = mpaf4r1q9hfle944i2ro9npt");
const NAME = /name does not resolve/;
const TLS = /TLS handshake failed.*certificate/;

describe("a fault the platform calls internal", () => {
  it.each([
    ["http and a name", "http://hooks.example.com/", [true, false]],
    ["https and a name", "https://hooks.example.com/", [true, true]],
    ["https and an address", "https://192.88.1.1/", [false, true]],
    ["https and an IPv6 address", "https://[2606:4700::1]/", [false, true]],
    ["http and an address", "http://192.88.1.1/", [false, false]],
  ])("may be the name's or the certificate's: %s", (_, url, [isName, isTls]) => {
    const message = networkMessage(INTERNAL, new URL(url));
    expect([NAME.test(message), TLS.test(message)]).toEqual([isName, isTls]);
    expect(message).not.toMatch(/internal error|reference/);
  });
});

it("a lost connection is told with all it may have been, answers that are no HTTP among them", () => {
  const message = networkMessage(new Error("Network connection lost."), new URL("https://hooks.example.com/"));
  expect(message).toMatch(/refused, closed or reset.*not valid HTTP/);
});

describe("any other fault is told as the platform tells it", () => {
  const told = (reason: string) => networkMessage(new TypeError(reason), new URL("https://hooks.example.com/"));

  it("up to 4,096 characters, none cut in half", () => {
    expect(told("Something new.")).toBe("The target could not be reached: Something new.");
    const long = told("😀".repeat(5_000));
    expect([[...long].length, long.isWellFormed()]).toEqual([4_096, true]);
    expect(told("\ud83d").isWellFormed()).toBe(true);
  });

  it("or not at all", () => {
    expect(networkMessage("no error", new URL("https://hooks.example.com/"))).toMatch(/does not say why/);
  });
});

it("a status that Cloudflare answers in the target's place is explained, any other is not", () => {
  expect(statusHint(526)).toMatch(/certificate is not valid/);
  expect([500, 502, 504, 527, 531].map(statusHint)).toEqual(["", "", "", "", ""]);
});
