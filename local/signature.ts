// X-Chronos-Signature, checked as any receiver would.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

export interface Delivery {
  headers: IncomingHttpHeaders;
  body: string;
}

export function isSigned({ headers, body }: Delivery, secret: string): boolean {
  const signed = `${headers["x-chronos-delivery-id"]}.${headers["x-chronos-timestamp"]}.${body}`;
  const wanted = Buffer.from(`sha256=${createHmac("sha256", secret).update(signed).digest("hex")}`);
  const given = Buffer.from(String(headers["x-chronos-signature"]));
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}
