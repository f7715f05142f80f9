// Everything at once, on a service of its own with four databases: many accounts make jobs, push and pull, singly and in batches, while
// the process is killed, one database is frozen and accounts move from one to another. Nothing is lost, early or doubled, no account
// sees what is another's, and each is whole in one place.

import { join } from "node:path";
import { eachOf } from "../../harness/each-of.ts";
import { quietPort } from "../../harness/quiet-port.ts";
import { Receiver } from "../../harness/receiver.ts";
import { OwnService } from "../../harness/service.ts";
import { holdsWithin } from "../../harness/until.ts";
import { searchLog } from "../canaries.ts";
import { Chance } from "../harness/chance.ts";
import { PatientTenant } from "../harness/patient-tenant.ts";
import { PullWorker } from "../harness/pull-worker.ts";
import type { Part } from "../part.ts";
import { judge, rowsOf, unsigned, type Verdict } from "../process/verdict.ts";
import { Files } from "./files.ts";
import { type Made, Making } from "./making.ts";
import { foreignWork, judgeFrozen, readList, spyOnNext } from "./neighbours.ts";
import { type Resident, Storm, type Weather, type WeatherPlan } from "./weather.ts";

export interface CombinedPlan extends WeatherPlan {
  readonly accounts: number;
  readonly jobs: number;
  /** How long they are made, on a machine that has the time for them. */
  readonly seconds: number;
}

const DATABASES = 4;
const KEYS = 3;
const POLLS = 2;
const POLL_SECONDS = 10;

/** A row that nobody armed waits for the minute's sweep, and backoffs follow; what a move left goes with the minute after it. */
const RECOVERY_MS = 180_000;
const STOP_MS = 60_000;

export async function combine(plan: CombinedPlan, seed: number): Promise<Part> {
  const service = new OwnService({ port: await quietPort(), env: { CHRONOS_DATABASES: `${DATABASES}` } });
  try {
    await service.ready();
    return await live(service, plan, seed);
  } finally {
    await service.stop();
  }
}

async function live(service: OwnService, plan: CombinedPlan, seed: number): Promise<Part> {
  const receiver = await Receiver.listen();
  const residents = await eachOf(Array.from({ length: plan.accounts }), 4, async (_, i): Promise<Resident> => {
    const home = i % DATABASES;
    return { tenant: await PatientTenant.make(service, `combined ${i}`, KEYS, home), home };
  });
  const tenants = residents.map(({ tenant }) => tenant);
  const firsts = tenants.slice(0, DATABASES).map(({ id }) => id);
  const files = Files.of(join(service.folder, "state"), firsts);
  const workers = new Map(
    tenants.map((tenant, i) => [tenant.id, new PullWorker(tenant, seed + i, POLLS, POLL_SECONDS)]),
  );

  const making = new Making(receiver);
  const storm = new Storm(service, files, residents, new Chance(seed));
  const jobsEach = plan.jobs / plan.accounts;
  const [weather] = await Promise.all([
    storm.rage(plan, () => making.made.length / plan.jobs),
    ...tenants.map((tenant, i) => making.fill(tenant, jobsEach, plan.seconds * 1_000, seed + i)),
  ]);
  const { made } = making;
  const madeBy = new Map(tenants.map((tenant) => [tenant, made.filter((job) => job.tenant === tenant)]));

  const faults = [...making.faults, ...weather.faults];
  const deadline = Date.now() + RECOVERY_MS;
  const isOver = async () => (await eachOf(tenants, 10, countLive)).every((count) => count === 0);
  if (!(await holdsWithin(deadline - Date.now(), isOver, 2_000))) faults.push("not all jobs have ended");
  const isSettled = () => settlement(files, residents, weather).length === 0;
  await holdsWithin(deadline - Date.now(), isSettled, 5_000);
  await Promise.all([...workers.values()].map((worker) => worker.stop()));

  const lists = await eachOf(tenants, 10, (tenant) => readList(tenant, madeBy.get(tenant) ?? []));
  const statuses = new Map(tenants.map((tenant, i) => [tenant, lists[i]?.statuses]));
  const verdicts = await eachOf(made, 20, async (job) => {
    const status = statuses.get(job.tenant)?.get(job.id);
    return status === undefined ? lost(job) : judge(job, workers, status);
  });
  faults.push(...lists.flatMap((list) => list.faults), ...(await spyOnNext(tenants, made)));
  await receiver.close();
  if ((await service.terminate(STOP_MS)) !== 0) faults.push("the service did not end well");
  const secrets = tenants.flatMap((tenant) => tenant.secrets);
  faults.push(
    ...verdicts.flatMap((verdict) => verdict.faults),
    ...verdicts.flatMap(({ isEarly }) => (isEarly ? ["a job ran before its time"] : [])),
    ...unsigned(made),
    ...foreignWork(workers, made),
    ...judgeFrozen(weather, residents, making.asked, made),
    ...settlement(files, residents, weather),
    ...searchLog(service.log, secrets),
  );
  for (const { failure } of workers.values()) if (failure !== undefined) faults.push(`a worker gave up: ${failure}`);
  if (made.length !== plan.jobs) faults.push(`${made.length} jobs were made, not ${plan.jobs}`);
  const { kills, moves, frozenSeconds } = plan;
  const what = `SIGKILL, ${kills} times, ${DATABASES} databases, one frozen for ${frozenSeconds} s, ${moves} moved`;
  return { rows: rowsOf(what, verdicts), faults: faults.map((fault) => `combined: ${fault}`), secrets };
}

async function countLive(tenant: PatientTenant): Promise<number> {
  const statuses = ["pending", "queued", "running", "retrying"].map((status) => `status=${status}`).join("&");
  return (await tenant.get(`/v1/jobs?${statuses}&size=1`)).meta.paging.total;
}

/** Nobody can be asked about a job that its account's list does not have. */
const lost = ({ kind, id }: Made): Verdict => ({
  kind,
  ...{ delivered: false, duplicates: 0, lateMs: [], isEarly: false },
  faults: [`${kind} ${id} is not in its account's list`],
});

/** Each account is in the database where it lives, whole, and in no other. */
function settlement(files: Files, residents: readonly Resident[], { movedTo }: Weather): string[] {
  return residents.flatMap(({ tenant: { id }, home: before }) => {
    const home = movedTo.get(id) ?? before;
    return files.numbers.flatMap((number) => {
      const { tables, isListed, stage } = files.find(number, id);
      const at = `database ${number}`;
      if (number === home)
        return [
          ...(tables.includes("jobs") && isListed ? [] : [`${id} is not in ${at}, where it lives`]),
          ...(stage === null || stage === "here" ? [] : [`${id} is ${stage} in ${at}, where it lives`]),
        ];
      return [
        ...tables.map((table) => `${at} has ${table} of ${id}, which lives in ${home}`),
        ...(isListed && number !== 0 ? [`${at} lists ${id}, which lives in ${home}`] : []),
        ...(stage === null || stage === "gone" ? [] : [`${id} is ${stage} in ${at}, and lives in ${home}`]),
      ];
    });
  });
}
