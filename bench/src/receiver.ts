// Where every push of every system arrives. A process of its own, so that nothing else delays the clock it reads.
// POST /hook notes an arrival; GET /arrivals tells them, DELETE /arrivals forgets them.

import { createServer } from "node:http";
import { HOST } from "./processes.ts";
import type { Arrival } from "./receiving.ts";

const port = Number(process.argv[2]);
/** How long a target takes to answer. */
const delayMs = Number(process.argv[3] ?? 0);
const headers = headersOf(Number(process.argv[4] ?? 0));
let arrivals: Arrival[] = [];

/** Ours tells the nominal time, the others what they were given. */
function note(body: string, at: number): void {
  const { job_id, id, scheduled_for, due } = JSON.parse(body);
  arrivals.push({ id: String(job_id ?? id), due: due ?? Date.parse(scheduled_for), at });
}

/** What Node adds by itself, and as much as is missing. */
function headersOf(bytes: number): Record<string, string> {
  if (bytes === 0) return {};
  const usual = { connection: "keep-alive", date: new Date().toUTCString(), "keep-alive": "timeout=5" };
  const missing = bytes - JSON.stringify({ ...usual, "x-more": "" }).length;
  return { "x-more": "x".repeat(missing) };
}

createServer((request, response) => {
  const at = Date.now(); // before the body is read
  if (request.method === "POST") {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      note(body, at);
      setTimeout(() => response.writeHead(request.url === "/broken" ? 503 : 204, headers).end(), delayMs);
    });
  } else if (request.method === "DELETE") {
    arrivals = [];
    response.writeHead(204).end();
  } else {
    const known = new URL(request.url ?? "/", "http://receiver").searchParams.has("count");
    response.setHeader("content-type", "application/json").end(JSON.stringify(known ? arrivals.length : arrivals));
  }
}).listen(port, HOST, 4_096, () => process.send?.("ready"));

process.on("SIGTERM", () => process.exit(0));
process.on("disconnect", () => process.exit(0));
