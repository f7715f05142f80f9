// Why no answer came, in words for the target's owner: as much as the platform tells.

import { cut } from "../domain/text.ts";

const MAX_LENGTH = 4_096;

const LOST = "No answer came: the connection was refused, closed or reset, or what the target sent is not valid HTTP.";
const UNREACHED = "The target could not be reached";
const UNSAID = "the platform does not say why";
const UNRESOLVED = "its name does not resolve";
const TLS = "the TLS handshake failed (is its certificate expired, self-signed, or for another name?)";
const EITHER = `${UNRESOLVED}, or ${TLS}`;

/**
 * The platform has two words for a connection that failed: it was lost, or an "internal error" whose cause, a name that
 * does not resolve or a TLS fault, it tells only its own log. Which of the two is possible follows from the URL.
 */
export function networkMessage(thrown: unknown, target: URL): string {
  const reason = thrown instanceof Error ? thrown.message : "";
  if (/connection lost/i.test(reason)) return LOST;
  if (/^internal error/i.test(reason)) return `${UNREACHED}: ${causesOf(target)}.`;
  return cut(`${UNREACHED}: ${reason === "" ? UNSAID : reason}`, MAX_LENGTH);
}

/** The same without the platform's own text, for the log: that may hold a part of the target's address. */
export const inOurWords = (message: string): string =>
  [LOST, ...[UNRESOLVED, TLS, EITHER].map((cause) => `${UNREACHED}: ${cause}.`)].includes(message)
    ? message
    : UNREACHED;

function causesOf({ protocol, hostname }: URL): string {
  const isAddress = /^\[|^[\d.]+$/.test(hostname);
  if (protocol !== "https:") return isAddress ? UNSAID : UNRESOLVED;
  return isAddress ? TLS : EITHER;
}

/** What Cloudflare answers in the target's place when it cannot reach it, or when a target behind it cannot be reached. */
const CLOUDFLARE_STATUSES: ReadonlyMap<number, string> = new Map([
  [520, "the target sent no valid answer"],
  [521, "the target refused the connection"],
  [522, "the target did not accept the connection in time"],
  [523, "there is no route to the target"],
  [524, "the target did not answer in time"],
  [525, "the TLS handshake with the target failed"],
  [526, "the target's TLS certificate is not valid"],
  [530, "the target's name does not resolve, or its tunnel is down"],
]);

/** What a status means that is not in every book; an empty text for the others. */
export function statusHint(status: number): string {
  const meaning = CLOUDFLARE_STATUSES.get(status);
  return meaning === undefined ? "" : ` (from Cloudflare: ${meaning})`;
}
