// Cloudflare's bill for a number of push jobs in a month, in dollars. Prices and inclusions are those of the Workers Paid
// plan as published; the counts for one job stand in ARCHITECTURE.md. Check both before you rely on it.

/** What one push job uses that succeeds at its first attempt and is deleted after its retention. */
const JOB = {
  d1Rows: 3 + 2 + 3, // created, ended, deleted
  objectRows: 2 + 2 + 1 + 2, // armed, begun, ended, erased
  objectRequests: 3, // arm, alarm, confirmation
  queueOperations: 3, // its snapshot: written, read, deleted
  workerRequests: 1 + 0.1, // the creation, and its part of a batch of snapshots
  cpuMs: 10, // an assumption: creation, attempt, and projection together
  gigabyteSeconds: 0.128 * 0.25, // the object waits for an answer that takes 250 ms
};
const STORED_KB = 2; // an assumption: row, execution and a small payload

/** What the plan's $5 include each month, and the price of a million more. */
const PRICES = {
  d1Rows: [50e6, 1],
  objectRows: [50e6, 1],
  objectRequests: [1e6, 0.15],
  queueOperations: [1e6, 0.4],
  workerRequests: [10e6, 0.3],
  cpuMs: [30e6, 0.02],
  gigabyteSeconds: [400e3, 12.5],
};

for (const millions of process.argv.slice(2).map(Number)) {
  const parts = Object.entries(PRICES).map(([what, [included, price]]) => {
    const used = JOB[what] * millions * 1e6;
    return (Math.max(0, used - included) / 1e6) * price;
  });
  const days = millions <= 1 ? 30 : millions <= 10 ? 7 : 1;
  const gigabytes = ((millions * 1e6) / 30) * days * STORED_KB * 1e-6;
  const storage = Math.max(0, gigabytes - 5) * 0.75;
  const all = [5, ...parts, storage];
  const total = all.reduce((sum, part) => sum + part, 0);
  const cells = [...all, total].map((part) => part.toFixed(2));
  console.log(`| ${millions} million | ${days} | ${cells.join(" | ")} |`);
}
