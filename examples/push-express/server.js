// Receives push deliveries with Express; each is verified before your function gets it.

import { onDelivery } from "@chronos-edge/sdk/express";
import express from "express";

const { PORT = "3000", CHRONOS_SIGNING_SECRET = "" } = process.env;
const secrets = CHRONOS_SIGNING_SECRET.split(",").map((secret) => secret.trim());
if (!secrets.every((secret) => secret.startsWith("whsec_"))) {
  console.error("Set CHRONOS_SIGNING_SECRET to the signing secret that the service's banner shows (whsec_…).");
  process.exit(1);
}

const app = express();

app.post(
  "/chronos",
  onDelivery(secrets, async (delivery) => {
    console.log(`Job ${delivery.jobId}, attempt ${delivery.attempt}:`, delivery.payload);
  }),
);

const server = app.listen(Number(PORT), "127.0.0.1", (error) => {
  if (error) {
    console.error(`Cannot listen on port ${PORT}: ${error.message}`);
    process.exit(1);
  }
  const address = server.address();
  const port = typeof address === "object" ? address?.port : PORT;
  console.log(`Waiting for deliveries at http://127.0.0.1:${port}/chronos`);
});

// Not `once`: npm sends the Ctrl-C again that the terminal has sent already, and an unheard signal would end the process.
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => server.close());
