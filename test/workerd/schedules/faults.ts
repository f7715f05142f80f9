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
  /** @param words D1's answer is this error */
  leave(words?: string): void;
}

export function gapAt(moment: Moment, start: string): Gap {
  let reached = false;
  let left: { words: string | undefined } | undefined;
  once(moment, start, async () => {
    reached = true;
    while (!left) await scheduler.wait(1);
    if (left.words !== undefined) throw new Error(left.words);
  });
  return {
    reached: () => until(() => reached),
    leave: (words) => {
      left = { words };
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
