// Design, rule 13: every question to D1 names an account, but for a few that are listed here. Whether the statement then
// uses it is shown in workerd, with two accounts.

import { describe, expect, it } from "vitest";
import { exportedFunctions, filesIn } from "./source.ts";

/** What crosses accounts, and why it must. */
const ACROSS_ACCOUNTS = [
  "accountOfKey", // it is how an account is found
  "addOwnTally", // counts, each with its account
  "addTally", // the same
  "applyReports", // a batch of reports, each with its account
  "approaching", // walks ahead of the clock, for the sweeper
  "askedFor", // the same
  "bury", // ids, of which no two accounts share one
  "canAnswer", // asks nothing of anybody
  "claimLeftEpochs", // epochs are the projector's
  "claimOld",
  "claimOthers",
  "countExpired", // a batch of reports
  "failingJobs", // a batch of reports
  "flushTally", // counts, each with its account
  "forgetBuried", // the same
  "isAlone", // asks nothing of anybody
  "isOpenHere", // a condition on each row's account
  "isServedHere", // the same
  "keepPlace", // where that walk is
  "listAccounts", // the operator's
  "loadOf", // the operator's: how much is done in a database
  "lookAheadAt", // where that walk is
  "mayCount", // a condition on the database
  "mayRead", // a batch of statements, each with its account
  "mayWrite", // a batch of reports, each with its account
  "movingAccounts", // the cron's: those that move
  "movingAmong", // a batch of reports
  "noteHealth", // a batch of reports, each with its account
  "openEpoch",
  "openNow",
  "openWith", // a move, which has its account
  "pausedOfAll", // the operator's: a number for each account
  "placeKept", // where that walk is
  "queuedOf", // of one account, or of those that the operator is shown
  "readTotals", // the operator's
  "recount", // walks all executions
  "standingAt", // the cron's: those that move
  "takeOverdue", // finds owners that are late
  "uncountedEpochs", // epochs are the projector's
  "weigh", // asks nothing of anybody
];

/** Who works for all accounts of a database, and who finds the one of an account. */
const BY_NUMBER = [
  "src/accounts/home.ts",
  "src/accounts/new-home.ts",
  "src/cron/here.ts",
  "src/http/auth.ts", // is it bound?
  "src/http/health.ts",
  "src/objects/account-move/databases.ts",
  "src/objects/projector/projector.ts",
  "src/routes/admin.ts",
  "src/routes/metrics.ts",
  "src/store/databases.ts",
];

/** Who reads accounts and keys. */
const IN_DIRECTORY = [
  "src/accounts/home.ts", // while there is one database
  "src/accounts/keyring.ts",
  "src/accounts/standing.ts",
  "src/cron/moves.ts",
  "src/cron/retention.ts", // a deleted account's place
  "src/http/auth.ts",
  "src/http/health.ts",
  "src/objects/account-move/account-move-object.ts",
  "src/objects/account-move/databases.ts",
  "src/routes/admin.ts",
  "src/routes/api-keys.ts",
  "src/routes/signing-secret.ts",
];

const source = filesIn("src");

/** The types that are never without an account. */
const OWNED = [
  "NewJobRow",
  "Webhook",
  String.raw`typeof (?:accounts|apiKeys)\.\$inferInsert`,
  ...source.flatMap(({ code }) =>
    [...code.matchAll(/interface (\w+)(?: extends \w+)? \{[^}]*\baccountId: string;/g)].map(([, name = ""]) => name),
  ),
];
const NAMES_AN_ACCOUNT = new RegExp(String.raw`\baccountId: string|: (?:${OWNED.join("|")})(?=\s*(?:,|$))`);

const queries = source.flatMap(exportedFunctions).filter(({ parameters }) => /: Database\b/.test(parameters));

describe("a question to D1", () => {
  it("names an account, but for those that are listed", () => {
    const nameless = queries.filter(({ parameters }) => !NAMES_AN_ACCOUNT.test(parameters));
    expect(nameless.map(({ name }) => name).sort()).toEqual(ACROSS_ACCOUNTS);
  });

  it("is asked from the read model and the accounts' store only: nobody else has the means", () => {
    const able = source.filter(({ imports }) => imports.some((name) => name.startsWith("drizzle-orm")));
    for (const { path } of able) expect(path).toMatch(/^src\/store\/|^src\/accounts\/accounts-store\.ts$/);
  });

  it("goes to the database where its account lives: one file knows the bindings, and few ask for one by its number", () => {
    const pathsWith = (use: RegExp) => source.filter(({ code }) => use.test(code)).map(({ path }) => path);
    expect(pathsWith(/\benv\.DB\b|\bDB_\d/)).toEqual(["src/store/databases.ts"]);
    expect(pathsWith(/\b(?:boundDatabases|databaseAt)\(/).sort()).toEqual(BY_NUMBER);
    expect(pathsWith(/\bdirectoryOf\(/).sort()).toEqual(IN_DIRECTORY);
  });
});

it("objects are found in one place: nobody else makes their addresses (design, rule 15)", () => {
  const finders = source.filter(({ code }) => /\b(?:getByName|idFromName|idFromString|newUniqueId)\b/.test(code));
  expect(finders.map(({ path }) => path)).toEqual(["src/objects/addresses.ts"]);
});

it("no exported function that takes the database is overlooked", () => {
  const taking = source.flatMap(({ code }) => code.match(/^export [^;{}]*?\bdb: Database\b/gm) ?? []);
  expect(queries.length).toBe(taking.length);
  expect(queries.length).toBeGreaterThan(15);
});
