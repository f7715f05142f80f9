// Nothing that users sent, and no key or secret, may be seen in a log; and no fault that nobody foresaw.

/** Planted in payloads, headers, results and errors of the jobs of all parts. */
const PLANTED = "canary-";

/** What SQL would look like in a log. */
const SQL =
  /\b(?:SELECT|INSERT INTO|UPDATE|DELETE FROM)\b[^\n]{0,80}\b(?:jobs|executions|accounts|api_keys|schedules)\b/i;

/** Log lines that tell of a fault of our own. */
const UNFORESEEN = new Set([
  "alarm_fault",
  "request_fault",
  "cron_fault",
  "projector_fault",
  "report_refused",
  "announce_fault",
]);

export function searchLog(output: string, secrets: readonly string[]): string[] {
  const found: string[] = [];
  if (output.includes(PLANTED)) found.push(`a log holds what a user sent: ${around(output, PLANTED)}`);
  if (SQL.test(output)) found.push("a log holds SQL");
  for (const secret of secrets) if (output.includes(secret)) found.push("a log holds a key or a signing secret");
  for (const line of eventsIn(output))
    if (UNFORESEEN.has(line.event)) found.push(`an unforeseen fault was logged: ${JSON.stringify(line)}`);
  return found;
}

/** The lines of the log, read; what is no line of ours is left out. */
function eventsIn(output: string): { event: string; [field: string]: unknown }[] {
  return output
    .split("\n")
    .filter((line) => line.startsWith('{"level"'))
    .flatMap((line) => {
      try {
        return [JSON.parse(line)];
      } catch {
        return []; // cut off by a crash
      }
    });
}

function around(text: string, word: string): string {
  const at = text.indexOf(word);
  return text.slice(Math.max(0, at - 100), at + 100);
}
