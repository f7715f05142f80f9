// Both ways to serve do this once the service runs: wait until it answers, ring its cron, show how to use it, wait for the end.
import { once } from "node:events";
import { devAccount, untilHealthy } from "./account.ts";
import { banner } from "./banner.ts";
import { everyMinute } from "./cron.ts";
import { descriptorLimit } from "./descriptors.ts";
import type { Prepared } from "./main.ts";
import { signInLink } from "./sign-in-link.ts";

export interface Running {
  readonly url: string;
  /** Rings the cron once. */
  readonly ring: (at: number) => Promise<void>;
  readonly onCronError: (error: unknown) => void;
  /** Settles when the service ends by itself. */
  readonly ended?: Promise<void>;
}

/** Returns when the service is asked to stop, or has ended by itself. */
export async function serveUntilStopped(
  { settings, state, secrets, stop }: Prepared,
  { url, ring, onCronError, ended = new Promise(() => {}) }: Running,
): Promise<void> {
  let stopCron = () => {};
  try {
    await Promise.race([untilHealthy(url, stop), ended]);
    state.noteServing();
    stopCron = everyMinute(ring, onCronError);
    const account = await devAccount(state.path, url, secrets.ADMIN_TOKEN);
    const { color, isOpen, targets } = settings;
    // A log that others keep is no place for a link that signs in.
    const dashboard = isOpen ? `${url}/dashboard` : await signInLink(account, secrets.MASTER_KEY, Date.now());
    const facts = { account, dashboard, stateFolder: state.path, isOpen, targets, color };
    console.log(banner({ ...facts, descriptorLimit: descriptorLimit() }));
    if (!stop.aborted) await Promise.race([once(stop, "abort"), ended]);
  } finally {
    stopCron();
  }
}
