// Judges the accounts as neighbours: a database that is frozen holds up its own and no others, and nobody sees what is another's.

import { eachOf } from "../../harness/each-of.ts";
import type { PatientTenant } from "../harness/patient-tenant.ts";
import type { PullWorker } from "../harness/pull-worker.ts";
import type { Asked, Made } from "./making.ts";
import type { Resident, Weather } from "./weather.ts";

/** Less than a refused database is waited for (10 s), and more than a busy machine takes. */
const PROMPT_MS = 5_000;
/** A process that has just come up finds all that was under way. */
const SETTLES_MS = 1_000;
/** A job whose process dies within this may not have been armed, and waits for the sweep. */
const ARMED_WITHIN_MS = 1_000;

/** Requests and deliveries of accounts that live elsewhere, while one database was frozen. What a kill has met is not judged. */
export function judgeFrozen(
  { frozen, down }: Weather,
  residents: readonly Resident[],
  asked: readonly Asked[],
  made: readonly Made[],
): string[] {
  const homes = new Map(residents.map(({ tenant, home }) => [tenant.id, home]));
  const homeOf = ({ id }: PatientTenant): number => homes.get(id) ?? frozen.database;
  const isCalm = (from: number, until: number, settlesMs: number) =>
    !down.some((span) => from < span.until + settlesMs && until > span.from);
  const isWithin = (at: number) => at >= frozen.from && at < frozen.until;

  const requests = asked.filter(
    ({ tenant, askedAt, answeredAt }) =>
      homeOf(tenant) !== frozen.database && isWithin(askedAt) && isCalm(askedAt, answeredAt, SETTLES_MS),
  );
  const refused = requests.filter(({ status }) => status === 503);
  const slow = requests.filter(({ askedAt, answeredAt }) => answeredAt - askedAt > PROMPT_MS);
  // Due jobs need no database: those of the frozen one are delivered as well.
  const due = made.filter(
    ({ target, cancelledAt, scheduledFor }) => target && cancelledAt === null && isWithin(scheduledFor),
  );
  const pushes = due
    .map((job) => ({ ...job, lateMs: (job.target?.deliveries[0]?.at ?? Number.POSITIVE_INFINITY) - job.scheduledFor }))
    .filter(
      ({ askedAt, answeredAt, scheduledFor, lateMs }) =>
        isCalm(askedAt, answeredAt + ARMED_WITHIN_MS, 0) &&
        isCalm(scheduledFor, scheduledFor + Math.min(lateMs, PROMPT_MS), SETTLES_MS),
    );
  const late = pushes.filter(({ lateMs }) => lateMs > PROMPT_MS);
  const untouched = asked.filter(
    ({ tenant, status, askedAt, answeredAt }) =>
      homeOf(tenant) === frozen.database && status === 201 && askedAt > frozen.from && answeredAt < frozen.until,
  );
  const counted = (found: readonly unknown[], of: readonly unknown[], what: string) =>
    found.length === 0 ? [] : [`while database ${frozen.database} was frozen, ${found.length} of ${of.length} ${what}`];
  return [
    ...counted(refused, requests, "requests for jobs of other databases were refused"),
    ...counted(slow, requests, `requests for jobs of other databases took longer than ${PROMPT_MS / 1_000} s`),
    ...counted(late, pushes, `deliveries were later than ${PROMPT_MS / 1_000} s`),
    ...counted(untouched, asked, "requests made jobs in it"),
    ...(requests.length > 0 && pushes.length > 0 ? [] : ["nothing was asked for or due while a database was frozen"]),
  ];
}

/** A list has the account's jobs, each of them and no other. @returns how each is shown; and what is wrong */
export async function readList(
  tenant: PatientTenant,
  made: readonly Made[],
): Promise<{ statuses: Map<string, string>; faults: string[] }> {
  const statuses = new Map<string, string>();
  let total = 0;
  for (let page = 1; ; page++) {
    const { data, meta } = await tenant.get<{ id: string; status: string }[]>(`/v1/jobs?size=100&page=${page}`);
    for (const { id, status } of data) statuses.set(id, status);
    total = meta.paging.total;
    if (data.length === 0 || page * 100 >= total) break;
  }
  const own = new Set(made.map(({ id }) => id));
  const missing = [...own].filter((id) => !statuses.has(id));
  const foreign = [...statuses.keys()].filter((id) => !own.has(id));
  const faults = [
    ...(total === own.size ? [] : [`an account has made ${own.size} jobs, and its list says ${total}`]),
    ...(missing.length === 0 ? [] : [`a list lacks ${missing.length} jobs: ${missing[0]}`]),
    ...(foreign.length === 0 ? [] : [`a list has ${foreign.length} jobs that its account has not made: ${foreign[0]}`]),
  ];
  return { statuses, faults };
}

/** In a ring: nobody can see, change or follow a job of the next account. */
export async function spyOnNext(tenants: readonly PatientTenant[], made: readonly Made[]): Promise<string[]> {
  const found = await eachOf(tenants, 10, async (tenant, i) => {
    const next = tenants[(i + 1) % tenants.length];
    const job = made.find((one) => one.tenant === next);
    if (!job) return ["an account has no job to be looked for"];
    const requests = [
      ["GET", ""],
      ["GET", "/executions"],
      ["POST", "/cancel"],
      ["POST", "/retry"],
    ] as const;
    const answers = await eachOf(requests, 1, ([method, path]) => tenant.call(method, `/v1/jobs/${job.id}${path}`));
    return answers.flatMap(({ status }, n) =>
      status === 404 ? [] : [`${requests[n]?.join(" ")} of another account's job was answered ${status}`],
    );
  });
  return found.flat();
}

/** A worker was given jobs of its own account. */
export function foreignWork(workers: ReadonlyMap<string, PullWorker>, made: readonly Made[]): string[] {
  const owners = new Map(made.map(({ id, tenant }) => [id, tenant.id]));
  return [...workers].flatMap(([accountId, { work }]) => {
    const foreign = work.filter(({ jobId }) => owners.get(jobId) !== accountId);
    return foreign.length === 0 ? [] : [`a worker was given ${foreign.length} jobs that are not its account's`];
  });
}
