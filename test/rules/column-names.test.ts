// Names of columns, read from a statement's text.

import { expect, it } from "vitest";
import { sharedName } from "../../src/store/column-names.ts";

it.each([
  ['select "jobs"."id", "accounts"."id" from "jobs" inner join "accounts"', "id"],
  ['select "id", count(*) as "id" from "jobs"', "id"],
  ['SELECT account_id AS accountId, id, ID FROM "jobs"', "id"],
  ["select 1, 1 from a", "1"],
  ['update "jobs" set "id" = ? where "id" = ? returning "id", "status", "id"', "id"],
])("two columns share one: %s", (sql, name) => {
  expect(sharedName(sql)).toBe(name);
});

it.each([
  'select "jobs"."id", "accounts"."name" from "jobs", "accounts" where "jobs"."id" = "accounts"."id"',
  'select coalesce("a", "b"), coalesce("a", \'b, "a" from\') from "jobs"',
  'select (select "id", "id" from "jobs") as "one", "id" from "jobs"',
  "SELECT count(*) AS n FROM (SELECT 1 FROM a LIMIT 5)",
  'insert into "jobs" ("id", "name") select ?, ? from "accounts"',
  'delete from "jobs" where "id" in (select "id" from "jobs")',
  'update "jobs" set "a" = ?, "b" = ? where "id" = ?',
])("no two do: %s", (sql) => {
  expect(sharedName(sql)).toBeUndefined();
});
