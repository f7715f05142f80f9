// Deployments while people are at work: for a while old and new code serve side by side, then one takes over from the other. The
// newer code stores its records in a shape of its own. Where it is taken back, what it has stored waits for it.

import { type Bundle, bundle, type Change } from "./platform/bundle.ts";
import type { Chance } from "./platform/chance.ts";
import type { Platform } from "./platform/platform.ts";
import type { Climate } from "./weather.ts";

const SECOND = 1_000;
const RECORD = "src/objects/state-record.ts";

/** As an older deployment cannot read it. */
const NEWER: readonly Change[] = [
  { file: RECORD, from: "this.#storage.kv.put(KEY, state);", to: "this.#storage.kv.put(KEY, { v: 2, newer: state });" },
  {
    file: RECORD,
    from: "return stored && this.#rules.upgrade(stored);",
    to: "return stored && this.#rules.upgrade((stored as any).newer ?? stored);",
  },
];

/** The code that a world begins with, and the newer one. */
export async function bundlesOf(name: string, changes: readonly Change[] = []): Promise<Bundle[]> {
  return [await bundle(name, changes), await bundle(`newer than ${name}`, [...changes, ...NEWER])];
}

/** How long a deployment takes at most: until then isolates and objects of both ages are alive. */
const MOST_SPREAD_MS = 60 * SECOND;

/** The newest code is everywhere before the world closes. */
export function planDeployments(platform: Platform, climate: Climate, chance: Chance, closesAt: number): void {
  const { timeline } = platform;
  const [deploys, isTakenBack] = [climate.has("deployments"), climate.has("rollbacks")];
  if (!deploys && !isTakenBack) return;
  const openMs = closesAt - timeline.now;
  const deploy = (bundle: number, from: number, until: number) => {
    const at = timeline.now + openMs * chance.between(from, until);
    const spreadMs = Math.min(MOST_SPREAD_MS, 0.9 * (closesAt - at)) * chance.next();
    timeline.at(at, () => platform.deploy(bundle, spreadMs));
  };
  deploy(1, 0.1, 0.4);
  if (!isTakenBack) return;
  deploy(0, 0.45, 0.6);
  deploy(1, 0.65, 0.85);
}
