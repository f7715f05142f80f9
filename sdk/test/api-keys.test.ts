// API keys over the API: what is sent, what comes back, what is repeated after faults.

import { expect, it } from "vitest";
import { type ApiKey, type ChronosApiError, ChronosConfigError } from "../src/index.ts";
import { answering as answeringWith, said } from "./answering.ts";
import { refuse } from "./answers.ts";
import { NOON, outcomeOf } from "./setup.ts";

const ID = "9b2d0f0e-8e36-4d2f-9d63-5b7f8e1a0001";
const WRITTEN = {
  id: ID,
  name: "dashboard",
  prefix: "chrns_abcdef",
  scope: "read",
  expires_at: "2030-01-01T12:00:00.000Z",
  created_at: "2030-01-01T12:00:00.000Z",
  from_a_later_version: true,
};
const KEY: ApiKey = {
  id: ID,
  name: "dashboard",
  prefix: "chrns_abcdef",
  scope: "read",
  expiresAt: new Date(NOON),
  createdAt: new Date(NOON),
};

/** A service that gives these answers, the last of them again and again. */
function answering(...answers: (() => Response)[]) {
  const { chronos, line } = answeringWith(null, answers);
  return { apiKeys: chronos.apiKeys, line };
}

it("creates a key, and shows it with what is known of it", async () => {
  const { apiKeys, line } = answering(() => said({ ...WRITTEN, key: "chrns_secret" }));
  const made = await apiKeys.create({ name: "dashboard", scope: "read", expiresAt: new Date(NOON) });
  expect(made).toEqual({ ...KEY, key: "chrns_secret" });
  const body = { name: "dashboard", scope: "read", expires_at: "2030-01-01T12:00:00.000Z" };
  expect(line.sent).toMatchObject([{ method: "POST", path: "/v1/api-keys", body }]);
});

it("lists keys without the keys themselves", async () => {
  const { apiKeys } = answering(() => said([{ ...WRITTEN, expires_at: null }]));
  expect((await apiKeys.list().page()).items).toEqual([{ ...KEY, expiresAt: null }]);
});

it("takes a key that is gone after a lost answer as deleted, and no other refusal", async () => {
  const { apiKeys, line } = answering(() => refuse(404, "not_found", "There is no such API key."));
  line.breaks(/api-keys/, "unanswered");
  expect(await outcomeOf(apiKeys.delete(ID))).toBeUndefined();
  expect(line.sent).toHaveLength(2);
  const last = answering(() => refuse(409, "conflict", "It is the last.")).apiKeys;
  expect(await outcomeOf(last.delete(ID))).toMatchObject({ code: "conflict" } satisfies Partial<ChronosApiError>);
});

it("does not create a second key after an answer that was lost", async () => {
  const { apiKeys, line } = answering(() => said({ ...WRITTEN, key: "chrns_secret" }));
  line.breaks(/api-keys/, "unanswered");
  expect(await outcomeOf(apiKeys.create({ name: "dashboard" }))).toMatchObject({ name: "ChronosConnectionError" });
  expect(line.sent).toHaveLength(1);
  expect(await outcomeOf(apiKeys.create({ name: "x", expiresAt: new Date(Number.NaN) }))).toBeInstanceOf(
    ChronosConfigError,
  );
  expect(line.sent).toHaveLength(1);
  expect(() => apiKeys.list({ sizes: 1 } as never)).toThrow(/has no field "sizes"/);
});
