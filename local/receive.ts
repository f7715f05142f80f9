// `npm run receive`: a receiver to push jobs to. Prints each delivery, tells whether its signature is right, answers 200.

import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { printable } from "./printable.ts";
import { HOST, RECEIVER_PORT, readSettings } from "./settings.ts";

const { stateFolder } = readSettings(process.env);

const server = createServer(async (request, response) => {
  const body = await text(request);
  const signature = isSigned(request.headers, body) ? "signature is right" : "SIGNATURE IS WRONG";
  const head = `${request.method} ${request.url}  attempt ${request.headers["x-chronos-attempt"]}`;
  console.log(`${printable(head)}  ${signature}\n  ${printable(body)}`);
  response.end("thank you");
});

server.on("error", () => {
  console.error(`Port ${RECEIVER_PORT} is taken. Stop what listens there and try again.`);
  process.exit(1);
});
server.listen(RECEIVER_PORT, HOST, () =>
  console.log(`Waiting for deliveries at http://${HOST}:${RECEIVER_PORT}. Ctrl-C stops.`),
);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(0));

/** The secret is read for each delivery: the server may have been started after us. */
function isSigned(headers: IncomingHttpHeaders, body: string): boolean {
  const secret = JSON.parse(readFileSync(join(stateFolder, "dev.json"), "utf8")).signing_secret;
  const signed = `${headers["x-chronos-delivery-id"]}.${headers["x-chronos-timestamp"]}.${body}`;
  const wanted = Buffer.from(`sha256=${createHmac("sha256", secret).update(signed).digest("hex")}`);
  const given = Buffer.from(String(headers["x-chronos-signature"]));
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}
