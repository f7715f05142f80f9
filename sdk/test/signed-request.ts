// Requests signed as the service signs them, by other code than the SDK's.

import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";

export const SECRET = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
export const OTHER = `whsec_${Buffer.alloc(32, 2).toString("base64")}`;
export const NOON = new Date("2030-01-01T12:00:00.700Z");

const AT = NOON.getTime() / 1000 - 0.7;
const JOB = "9b2d0f0e-8e36-4d2f-9d63-5b7f8e1a0001";
const EXECUTION = "9b2d0f0e-8e36-4d2f-9d63-5b7f8e1a0002";

export const BODY = JSON.stringify({
  job_id: JOB,
  execution_id: EXECUTION,
  handler: "notify",
  scheduled_for: "2030-01-01T11:59:00.000Z",
  attempt: 2,
  payload: { to: "Ünal 😀" },
});

export function signed(body = BODY): { headers: Record<string, string>; body: string } {
  const hex = createHmac("sha256", SECRET).update(`${EXECUTION}.${AT}.${body}`).digest("hex");
  return {
    body,
    headers: {
      "Content-Type": "application/json",
      "X-Chronos-Delivery-Id": EXECUTION,
      "X-Chronos-Timestamp": String(AT),
      "X-Chronos-Signature": `sha256=${hex}`,
      "webhook-id": JOB,
      "webhook-timestamp": String(AT),
      "webhook-signature": new Webhook(SECRET).sign(JOB, new Date(AT * 1000), body),
    },
  };
}
