// The gaps right before, and right after, D1 does what it was asked: there an owner may die, its schedule may be
// changed, or D1 may have another answer.

import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { until } from "../harness/clock.ts";
import { OVERLOADED } from "../harness/database.ts";

/** The statement that makes a tick's job. */
export const JOB_INSERT = 'insert into "jobs"';

export type Moment = "before" | "after";

/** The first statement that begins like `start` fails at this moment. */
export const failAt = (moment: Moment, start: string, words: string = OVERLOADED): void =>
  once(moment, start, () => Promise.reject(new Error(words)));

/** A statement that waits in its gap until it is let go. */
export interface Gap {
  /** Resolves when somebody waits there. */
  reached(): Promise<void>;
  leave(): void;
}

export function gapAt(moment: Moment, start: string): Gap {
  const at = { reached: false, left: false };
  once(moment, start, async () => {
    at.reached = true;
    while (!at.left) await scheduler.wait(1);
  });
  return {
    reached: () => until(() => at.reached),
    leave: () => {
      at.left = true;
    },
  };
}

function once(moment: Moment, start: string, happening: () => Promise<unknown>): void {
  const prepare = env.DB.prepare.bind(env.DB);
  let happened = false;
  const happens = async () => {
    if (happened) return;
    happened = true;
    spy.mockRestore();
    await happening();
  };
  const gapped = (statement: D1PreparedStatement): D1PreparedStatement =>
    new Proxy(statement, {
      get(target, name: keyof D1PreparedStatement) {
        if (name === "bind") return (...values: unknown[]) => gapped(target.bind(...values));
        return async (...values: never[]) => {
          if (moment === "before") await happens();
          const answer = await (target[name] as (...values: never[]) => Promise<unknown>).apply(target, values);
          if (moment === "after") await happens();
          return answer;
        };
      },
    });
  const spy = vi
    .spyOn(env.DB, "prepare")
    .mockImplementation((query) => (query.startsWith(start) ? gapped(prepare(query)) : prepare(query)));
}
