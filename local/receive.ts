// `npm run receive`: a receiver to push jobs to. Prints each delivery, tells whether its signature is right, answers 200.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { LOOPBACK } from "./addresses.ts";
import { dropForeignSettings } from "./environment.ts";
import { outliveReaders } from "./output.ts";
import { printable } from "./printable.ts";
import { RECEIVER_PORT, readSettings } from "./settings.ts";
import { judgeSignature } from "./signed-by.ts";

outliveReaders();
dropForeignSettings(process.env);
const { stateFolder } = readSettings(process.env);

const server = createServer((request, response) => {
  receive(request, response).catch((error) => {
    console.error(`A request broke off: ${error.message}`);
    response.destroy();
  });
});

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request);
  const signature = await judgeSignature({ headers: request.headers, body }, stateFolder);
  const head = `${request.method} ${request.url}  attempt ${request.headers["x-chronos-attempt"]}`;
  console.log(`${printable(head)}  ${signature}\n  ${printable(body)}`);
  response.end("thank you");
}

server.on("error", () => {
  console.error(`Port ${RECEIVER_PORT} is taken. Stop what listens there and try again.`);
  process.exit(1);
});
server.listen(RECEIVER_PORT, LOOPBACK, () =>
  console.log(`Waiting for deliveries at http://${LOOPBACK}:${RECEIVER_PORT}. Ctrl-C stops.`),
);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(0));
