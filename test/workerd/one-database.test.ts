// With one database no account can move: nothing looks for that, and each part costs as many statements as before there were several.

import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import worker from "../../src/index.ts";
import { directoryOf } from "../../src/store/databases.ts";
import { movingAmong } from "../../src/store/move-stages.ts";
import { type Account, newAccount, remove } from "./harness/account.ts";
import { api } from "./harness/api.ts";
import { advance, HOUR } from "./harness/clock.ts";
import { newJob } from "./harness/job.ts";
import { post } from "./harness/post.ts";
import { reportAt } from "./harness/reports.ts";

/** The statements of what is done meanwhile. */
async function statementsOf(run: () => Promise<unknown>): Promise<string[]> {
  const prepared = vi.spyOn(env.DB, "prepare");
  await run();
  const texts = prepared.mock.calls.map(([text]) => text);
  prepared.mockRestore();
  return texts;
}

const projector = env.PROJECTORS.getByName("DB");
const cron = () => worker.scheduled(createScheduledController(), env);

async function deleteKeyOf({ key }: Account): Promise<void> {
  const made = await api<{ id: string }>("POST", "/v1/api-keys", { key, body: { name: "another" } });
  await api("DELETE", `/v1/api-keys/${made.body.data.id}`, { key });
}

it("sends no statement more than it takes, and none about accounts that move", async () => {
  await projector.flush();
  const account = await newAccount();
  const job = await newJob(account);
  const way = {
    "an attempt that completes its job": () => job.ring(),
    "a flush of the counts": () => projector.flush(),
    "a report of a failure": () => post.deliver([reportAt(job, 9)]),
    "a question for accounts that move": () => movingAmong(directoryOf(env), [account.id]),
    "a key made and deleted": () => deleteKeyOf(account),
    "the deletion of an account": () => remove(account),
  };
  const counts: Record<string, number> = {};
  for (const [what, run] of Object.entries(way)) {
    const texts = await statementsOf(run);
    expect(texts.filter((text) => text.includes("account_moves"))).toEqual([]);
    counts[what] = texts.length;
  }
  expect(counts).toEqual({
    "an attempt that completes its job": 6, // whether the account is served, and the five of its report
    "a flush of the counts": 2,
    "a report of a failure": 5,
    "a question for accounts that move": 1,
    "a key made and deleted": 6, // it is looked for before and after, and remembered
    "the deletion of an account": 2,
  });
});

it("looks for no moves in the cron, whatever there is to do", async () => {
  for (const table of ["accounts", "retention_walk"]) await env.DB.prepare(`DELETE FROM ${table}`).run();
  const account = await newAccount();
  const lost = await newJob(account);
  await remove(account);
  advance(2 * HOUR);
  const texts = await statementsOf(cron);
  expect(texts.filter((text) => text.includes("account_moves"))).toEqual([]);
  expect(texts.filter((text) => text.startsWith("UPDATE") && text.includes("sweeps = sweeps + 1"))).not.toEqual([]);
  expect(texts.filter((text) => text.startsWith('delete from "accounts"'))).not.toEqual([]);
  expect(await lost.row()).toBeUndefined();
});
