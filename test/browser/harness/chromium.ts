// Debian's Chromium, and signing in without a form.

import { type Browser, chromium } from "playwright-core";

export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** A browser that looks up nothing of its own accord. */
const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const launchChromium = (): Promise<Browser> => chromium.launch({ executablePath: CHROMIUM, args: QUIET });

type Requests = Awaited<ReturnType<Browser["newContext"]>>["request"];

/** As the sign-in form does it; the cookie stays with the context. */
export async function signIn(requests: Requests, url: string, apiKey: string, readOnly = false): Promise<void> {
  const answer = await requests.post(`${url}/dashboard/session`, {
    headers: { Origin: url },
    data: { api_key: apiKey, ...(readOnly && { read_only: true }) },
  });
  if (!answer.ok()) throw new Error(`Cannot sign in: ${answer.status()} ${await answer.text()}`);
}
