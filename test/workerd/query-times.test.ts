// A time in a query whose `+` was not encoded arrives with a space: the refusal says what to write.

import { beforeAll, expect, it } from "vitest";
import { endpointsOf } from "../../src/openapi/document.ts";
import { parametersOf } from "../../src/openapi/parameters.ts";
import { type Account, newAccount } from "./harness/account.ts";
import { api, app } from "./harness/api.ts";

/** Every query parameter of the API that is a time: `["GET /v1/jobs", "created_after"]`. */
const TIMES = [...endpointsOf(app.routes)].flatMap(([route, parts]) =>
  (parametersOf(parts ?? {}, []) as { name: string; in: string; schema: { format?: string } }[])
    .filter((parameter) => parameter.in === "query" && parameter.schema.format === "date-time")
    .map(({ name }): [string, string] => [route, name]),
);

let account: Account;
beforeAll(async () => {
  account = await newAccount();
});

/** What is said of a parameter; undefined if nothing. */
async function refusal(route: string, name: string, value: string): Promise<string | undefined> {
  const [method = "", path = ""] = route.split(" ");
  const { body } = await api(method, `${path}?${name}=${value}`, { key: account.key });
  return body.errors?.find(({ field }) => field === name)?.message;
}

it("there are some", () => {
  expect(TIMES).toContainEqual(["GET /v1/jobs", "created_after"]);
});

it.each(TIMES)("%s?%s names the encoding of `+`, if that is what is wrong", async (route, name) => {
  const plus = "The `+` of the offset must be written as `%2B` in a URL.";
  for (const value of ["2026-01-15T09:00:00+02:00", "2026-01-15T09:00+0200", "2026-01-15T09:00:00.5%2002"])
    expect(await refusal(route, name, value), value).toBe(plus);
  for (const value of ["2026-01-15T09:00:00%2B02:00", "2026-01-15T09:00:00-02:00", "2026-01-15T09:00:00Z"])
    expect(await refusal(route, name, value), value).toBeUndefined();
  for (const value of ["2026-01-15+09:00:00Z", "2026-01-15+09:00:00%2B02:00", "2026-01-15T09:00:00+25:00", "a+b", "+"])
    expect(await refusal(route, name, value), value).toMatch(/^Must be an ISO 8601 date and time with an offset/);
});
