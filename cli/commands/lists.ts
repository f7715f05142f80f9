// What the commands of several nouns have in common: reading a list up to a limit, and doing something to several ids.

import type { Command } from "commander";
import { printable } from "../../local/printable.ts";
import type { PagedList } from "../../sdk/src/index.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode, errorJson, lineOf, tell } from "../failure.ts";
import { count } from "../values.ts";

const LARGEST_PAGE = 100;

export const takeListSize = (command: Command): Command =>
  command.option("--limit <n>", "how many at most", count, 20).option("--all", "all of them");

export async function readList<T>(list: (size: number) => PagedList<T>, limit: number, all = false): Promise<T[]> {
  if (all) return readAll(list(LARGEST_PAGE));
  const items: T[] = [];
  if (limit === 0) return items;
  for await (const item of list(Math.min(limit, LARGEST_PAGE))) {
    items.push(item);
    if (items.length === limit) break;
  }
  return items;
}

export async function readAll<T>(list: PagedList<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of list) items.push(item);
  return items;
}

/** Handles one id after the other. A refusal is printed at once and does not stop the rest; the exit code is that of the first. */
export function forEachId<T>(act: (context: Context, id: string) => Promise<T>, line: (done: T) => string) {
  return async (context: Context, [ids]: [string[]]): Promise<ExitCode> => {
    const { terminal, json } = context;
    const done: T[] = [];
    let code: ExitCode = EXIT.ok;
    for (const id of ids) {
      try {
        const one = await act(context, id);
        done.push(one);
        if (!json) terminal.out(line(one));
      } catch (error) {
        const told = tell(error);
        if (ids.length === 1 || told.exitCode === EXIT.unreachable) throw error;
        terminal.err(json ? errorJson(told, { id }) : `error: ${printable(`${id}: ${lineOf(told)}`)}`);
        if (code === EXIT.ok) code = told.exitCode;
      }
    }
    const [only] = done;
    if (json) context.print(ids.length === 1 ? only : done, () => "");
    return code;
  };
}
