// W3C Trace Context: what a `traceparent` header must be to be carried from the request that creates a job to its attempts.

const FORM = /^(?<version>[0-9a-f]{2})-(?<ids>[0-9a-f]{32}-[0-9a-f]{16})-(?<flags>[0-9a-f]{2})(?<rest>-.*)?$/;
const NO_ID = /^0+-|-0+$/;
const SAMPLED = 1;

/**
 * The header as it is passed on. One of a later version becomes what version 00 knows of it, as the specification asks.
 *
 * @returns null for a header that is missing, malformed or has an id of zeros only: it is ignored
 */
export function parseTraceparent(text: string | undefined): string | null {
  const { version, ids = "", flags = "", rest } = FORM.exec(text ?? "")?.groups ?? {};
  if (version === undefined || version === "ff" || NO_ID.test(ids)) return null;
  if (version === "00") return rest === undefined ? `00-${ids}-${flags}` : null;
  return `00-${ids}-0${Number.parseInt(flags, 16) & SAMPLED}`;
}
