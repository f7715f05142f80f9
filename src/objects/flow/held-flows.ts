// The flows that hold jobs up, with how many wait and run in each: asked of their objects when somebody looks. Nothing is counted
// meanwhile.

import type { FlowView } from "../../domain/flow.ts";
import { ask, flowAt } from "../addresses.ts";

/** A flow that does not answer within this is shown without its numbers. */
const PATIENCE_MS = 1_000;

export interface HeldFlow {
  readonly key: string;
  /** undefined: it did not answer. */
  readonly view: FlowView | undefined;
}

/** Those with the longest lines first. One that nobody has defined, or that holds nothing up any more, is left out. */
export async function askFlows(
  env: Cloudflare.Env,
  accountId: string,
  keys: readonly string[],
): Promise<readonly HeldFlow[]> {
  const asked = await Promise.all(
    keys.map(async (key): Promise<HeldFlow[]> => {
      const ref = { accountId, key };
      const answer = await ask(() => flowAt(env, ref).get(ref), PATIENCE_MS);
      if (!answer.ok) return [{ key, view: undefined }];
      return answer.value && holds(answer.value) ? [{ key, view: answer.value }] : [];
    }),
  );
  return asked.flat().sort((a, b) => (b.view?.waiting ?? -1) - (a.view?.waiting ?? -1));
}

/** Nothing starts, whether a person or its breaker has paused it. */
export const isPaused = ({ paused, pausedUntil }: Pick<FlowView, "paused" | "pausedUntil">): boolean =>
  paused || pausedUntil !== null;

const holds = (flow: FlowView): boolean => flow.waiting > 0 || isPaused(flow);
