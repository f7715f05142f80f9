// Cloudflare's bill for a number of push jobs in a month, in dollars; `free`: how many jobs a day the Free plan carries. Prices,
// inclusions and limits are those of the plans as published. What a job uses is counted: `npm run bench -- --only bill`.

/** What a job uses that succeeds at its first attempt and is deleted after its retention. */
const PUSH = {
  d1Rows: 2 + 1 + 1, // created, ended, deleted
  objectRows: 2 + 1 + 1 + 1, // armed, begun, ended, erased
  objectRequests: 3, // arm, alarm, report to the projector
  workerRequests: 1, // the creation
  cpuMs: 10, // an assumption: creation, attempt and report together
  gigabyteSeconds: 0.128 * 0.27, // the object waits for an answer that takes 250 ms
};
/**
 * The overview, for each minute of a day in which jobs of one account end in every minute, and for each database: its row, the total, the
 * epoch, and the row's deletion; the projector's alarm every eight seconds.
 */
const OVERVIEW = { d1Rows: 6, objectRows: 7.5, objectRequests: 7.5 };
const MINUTES_A_DAY = 1_440;
const PULL = { ...PUSH, objectRows: 7, objectRequests: 9, workerRequests: 3, gigabyteSeconds: 0.128 * 0.08 };
const PULL_WAITING = { ...PULL, objectRows: 9.3, objectRequests: 7.1 };

/** Row and index entry of a job with a payload of 60 bytes and 300 bytes of response headers. */
const STORED_KB = 1.1;

/** A database is full at 10 GB: it is planned to be at most so full. */
const FULL_GB = 8;
const LIMIT_GB = 10;

/** Jobs a second that one database carries, made one by one (limits.md); the busiest hour has so many times the month's average. */
const PER_SECOND = 250;
const PEAK = 4;

const SECONDS_A_MONTH = 30 * 86_400;
const MOST_DATABASES = 100;

/** What the paid plan's $5 include each month, and the price of a million more. */
const PRICES = {
  d1Rows: [50e6, 1],
  objectRows: [50e6, 1],
  objectRequests: [1e6, 0.15],
  workerRequests: [10e6, 0.3],
  cpuMs: [30e6, 0.02],
  gigabyteSeconds: [400e3, 12.5],
};

/** What the Free plan allows each day, and what the cron uses of it when nothing is due. */
const FREE = { d1Rows: 100e3, objectRows: 100e3, objectRequests: 100e3, workerRequests: 100e3, gigabyteSeconds: 13e3 };
const CRON = { d1Rows: 1_464, workerRequests: 1_440 };

const amounts = process.argv.slice(2);

for (const millions of amounts.filter((amount) => amount !== "free").map(Number)) {
  const forPace = Math.ceil((millions * 1e6 * PEAK) / SECONDS_A_MONTH / PER_SECOND);
  const oneHolds = Math.min(30, Math.floor(LIMIT_GB / gigabytesOf(millions, 1)));
  if (forPace === 1 && oneHolds >= 1) console.log(lineOf(millions, roundDays(oneHolds), 1));
  for (const days of [30, 7]) {
    const databases = Math.max(forPace, Math.ceil(gigabytesOf(millions, days) / FULL_GB));
    if (databases === 1 || databases > MOST_DATABASES) continue;
    console.log(lineOf(millions, days, databases));
    break;
  }
}

/** What is stored at a time when jobs are kept for so many days after their end. */
function gigabytesOf(millions, days) {
  return ((millions * 1e6) / 30) * days * STORED_KB * 1e-6;
}

/** Some room is left: whole weeks where there are several. */
function roundDays(days) {
  return days >= 30 ? 30 : days >= 7 ? 7 * Math.floor(days / 7) : days;
}

function lineOf(millions, days, databases) {
  const parts = Object.entries(PRICES).map(([what, [included, price]]) => {
    const used = PUSH[what] * millions * 1e6 + databases * (OVERVIEW[what] ?? 0) * 30 * MINUTES_A_DAY;
    return (Math.max(0, used - included) / 1e6) * price;
  });
  const storage = Math.max(0, gigabytesOf(millions, days) - 5) * 0.75;
  const all = [5, ...parts, storage];
  const total = all.reduce((sum, part) => sum + part, 0);
  const cells = [...all, total].map((part) => part.toFixed(2));
  return `| ${millions.toLocaleString("en")} million | ${databases} | ${days} | ${cells.join(" | ")} |`;
}

if (amounts.includes("free")) {
  const kinds = { "push jobs": PUSH, "pull jobs for which a worker waits": PULL, "pull jobs that wait": PULL_WAITING };
  for (const [name, kind] of Object.entries(kinds)) {
    const carried = Object.entries(FREE).map(([what, most]) =>
      Math.floor((most - (CRON[what] ?? 0) - (OVERVIEW[what] ?? 0) * MINUTES_A_DAY) / kind[what]),
    );
    const cells = [...carried, Math.min(...carried)].map((jobs) => jobs.toLocaleString("en"));
    console.log(`| ${name} | ${cells.join(" | ")} |`);
  }
}
