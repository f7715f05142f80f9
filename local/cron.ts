// The clock that Cloudflare is in production: locally nothing rings a cron trigger by itself.

const MINUTE_MS = 60_000;

/** Whoever rings waits no longer than this. */
export const RING_LIMIT_MS = 10 * MINUTE_MS;

/** The trigger of wrangler.toml. */
export const CRON = "* * * * *";

/**
 * Calls `ring` at once (what became due while nobody was here must not wait) and at every full minute, but never while an
 * earlier call is still under way. Answers how to stop it: a call that the stop cuts off has not failed.
 */
export function everyMinute(ring: (at: number) => Promise<void>, onError: (error: unknown) => void): () => void {
  let ringing = false;
  let stopped = false;
  let timer: NodeJS.Timeout;
  const ringAt = async (at: number) => {
    if (ringing) return;
    ringing = true;
    await ring(at).catch((error) => {
      if (!stopped) onError(error);
    });
    ringing = false;
  };
  const plan = (after: number) => {
    const at = (Math.floor(after / MINUTE_MS) + 1) * MINUTE_MS;
    timer = setTimeout(() => {
      plan(Math.max(at, Date.now())); // a timer may fire a millisecond early
      void ringAt(at);
    }, at - Date.now());
  };
  plan(Date.now());
  void ringAt(Date.now());
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** Delivers the scheduled event to the Worker under `wrangler dev`; throws unless its handler ended well. */
export async function ringCron(origin: string, at: number): Promise<void> {
  const query = new URLSearchParams({ cron: CRON, time: `${at}` });
  const answer = await fetch(`${origin}/cdn-cgi/local/scheduled?${query}`, {
    signal: AbortSignal.timeout(RING_LIMIT_MS),
  });
  if (!answer.ok) throw new Error(`the scheduled handler ended with ${answer.status} ${await answer.text()}`);
}
