// Those who only look: lists, single jobs, the overview, handlers.

import { checkList } from "../judge/outage.ts";
import type { Chance } from "../platform/chance.ts";
import { type Client, isDone } from "./client.ts";

const SECOND = 1_000;

export async function reader(client: Client, chance: Chance): Promise<void> {
  const { world, tenant } = client;
  while (world.isOpen) {
    await world.sleep(chance.around(10 * SECOND));
    if (!world.isOpen) return;
    const look = chance.pick(["list", "job", "overview", "handlers", "executions"] as const);
    if (look === "list") await list(client, chance);
    if (look === "overview") await client.once("GET", "/v1/overview?window=1h");
    if (look === "handlers") await client.once("GET", "/v1/handlers");
    const jobs = [...world.ledger.jobs.values()];
    if (jobs.length === 0) continue;
    const job = chance.pick(jobs);
    if (look === "executions") await client.once("GET", `/v1/jobs/${job.id}/executions`);
    if (look !== "job") continue;
    const answer = await client.once("GET", `/v1/jobs/${job.id}`);
    if (isDone(answer) && job.tenant !== tenant)
      world.ledger.violated("no account sees another", `${tenant.name} reads ${job.id}`);
    if (answer?.status === 404 && job.tenant === tenant && !job.mayBeDeleted)
      world.ledger.violated("what was answered 201 exists", `job ${job.id} is 404`);
  }
}

async function list(client: Client, chance: Chance): Promise<void> {
  const { world, tenant } = client;
  const filter = chance.pick(["", "&status=pending", "&status=failed&status=retrying", "&origin=event&origin=api"]);
  const askedAt = world.now;
  const answer = await client.once("GET", `/v1/jobs?size=50${filter}`);
  if (!isDone(answer)) return;
  if (filter === "") checkList(world, tenant, answer, askedAt);
  for (const { id } of answer.body.data) {
    const job = world.ledger.jobs.get(id);
    if (job && job.tenant !== tenant) world.ledger.violated("no account sees another", `${tenant.name} lists ${id}`);
    if (job?.deletedAt != null && job.deletedAt < world.now - 60 * SECOND)
      world.ledger.violated("a deleted job stays deleted", `job ${id} is listed`);
  }
}
