// Worlds on all cores: each core has a process, which is given the next task when it is done with one. Results come in the order of the
// tasks, whoever was first.

import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";

const MEMBER = join(import.meta.dirname, "crew-member.ts");

/**
 * @param tasks the next is taken when somebody is free; an endless row of them ends when `heard` has enough
 * @param heard is given each result; false: no more tasks are begun, and what is under way is heard
 * @param inOrder whether it hears of them in the order of the tasks, or of each at once
 */
export async function share<Task, Result>(
  tasks: Iterable<Task>,
  heard: (result: Result) => boolean,
  inOrder = true,
): Promise<void> {
  const next = tasks[Symbol.iterator]();
  const done = new Map<number, { readonly result: Result }>();
  let [begun, told, isOver] = [0, 0, false];
  const tell = () => {
    for (let one = done.get(told); one; one = done.get(told)) {
      done.delete(told++);
      if (!heard(one.result)) isOver = true;
    }
  };
  const work = () =>
    new Promise<void>((resolve, reject) => {
      const member = fork(MEMBER, { serialization: "advanced" });
      let mine: number | null = null;
      const take = () => {
        const taken = isOver ? { done: true as const, value: undefined } : next.next();
        mine = taken.done ? null : begun++;
        if (taken.done) member.disconnect();
        else member.send(taken.value as object);
      };
      member.on("message", (result: Result) => {
        if (!inOrder) isOver = !heard(result) || isOver;
        else if (mine !== null) done.set(mine, { result });
        tell();
        take();
      });
      member.on("error", reject);
      member.on("exit", (code) => (mine === null ? resolve() : reject(new Error(`a process ended with ${code}`))));
      take();
    });
  await Promise.all(Array.from({ length: availableParallelism() }, work));
}
