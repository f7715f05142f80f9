// How many unknown API keys and wrong admin tokens an address may send. Counted here before anything is looked up, which
// bounds a burst, and then by the platform's limiter, which knows what the location's other isolates have seen. A right key
// costs nothing, but while its address is over the limit, a key that this isolate does not know yet is refused as well.

import ipaddr from "ipaddr.js";
import type { AppContext } from "./app-env.ts";
import { tooMany } from "./rate-limit.ts";

/** As the limiter's in wrangler.toml. */
const MAX_GUESSES = 30;
const PERIOD_MS = 10_000;

/** Past this the address that was seen first is forgotten. */
const MAX_ADDRESSES = 10_000;

/** How long a key waits for those that are being looked up, any of which may turn out wrong. */
const PATIENCE_MS = 2_000;
const LOOK_EVERY_MS = 20;

type Kind = "API key" | "admin token";

interface Period {
  wrong: number;
  /** Being looked up. */
  open: number;
  readonly endsAt: number;
}

const periods = new Map<string, Period>();

/** @returns what `prove` finds; undefined is a wrong guess */
export async function provenWithinLimit<T>(
  c: AppContext,
  kind: Kind,
  prove: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const who = `${kind} ${networkOf(c.req.header("CF-Connecting-IP") ?? "")}`;
  const period = await turn(who, kind, c.var.platform.now);
  try {
    const proven = await prove();
    if (proven !== undefined) return proven;
    period.wrong += 1;
    if (!(await c.env.GUESS_RATE_LIMIT.limit({ key: who })).success) period.wrong = MAX_GUESSES;
    return undefined;
  } finally {
    period.open -= 1;
  }
}

/** A guess begins only if it may be wrong; many right keys at once wait for each other. */
async function turn(who: string, kind: Kind, clock: () => number): Promise<Period> {
  for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += LOOK_EVERY_MS) {
    const period = periodOf(who, clock());
    if (period.wrong >= MAX_GUESSES) break;
    if (period.wrong + period.open < MAX_GUESSES) {
      period.open += 1; // before anything is awaited: a burst is counted while it arrives
      return period;
    }
    await scheduler.wait(LOOK_EVERY_MS);
  }
  throw tooMany(`Too many unknown ${kind}s from this address. Please slow down.`);
}

function periodOf(who: string, now: number): Period {
  const known = periods.get(who);
  if (known && known.endsAt - PERIOD_MS <= now && now < known.endsAt) return known;
  const fresh = { wrong: 0, open: 0, endsAt: now + PERIOD_MS };
  periods.delete(who);
  periods.set(who, fresh);
  const oldest = periods.size > MAX_ADDRESSES ? periods.keys().next() : undefined;
  if (oldest && !oldest.done) periods.delete(oldest.value);
  return fresh;
}

/** Whoever has one IPv6 address has 2^64 of them: their network counts as one. */
function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return "";
  const parsed = ipaddr.process(address);
  return parsed.kind() === "ipv4" ? parsed.toString() : parsed.toNormalizedString().split(":").slice(0, 4).join(":");
}
