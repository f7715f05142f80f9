// A random walk over the API with the service killed on the way, beside the reference: after each step the two agree.

import { Receiver } from "../../harness/receiver.ts";
import type { Service } from "../../harness/service.ts";
import { Chance } from "../harness/chance.ts";
import { PatientTenant } from "../harness/patient-tenant.ts";
import type { Part } from "../part.ts";
import { changeActs, killedActs } from "./change-acts.ts";
import { type Act, type Acts, Ground } from "./ground.ts";
import { lifeActs } from "./life-acts.ts";
import { manyActs } from "./many-acts.ts";

/** All that a step may be. A new kind of call has its acts in a file of its own, and is named here. */
const actsOf = (ground: Ground): Acts => ({ ...lifeActs(ground), ...changeActs(ground), ...manyActs(ground) });

export async function walkBesideReference(
  service: Service,
  { steps, kills }: { steps: number; kills: number },
  seed: number,
): Promise<Part> {
  const chance = new Chance(seed);
  const ground = new Ground(service, await PatientTenant.make(service, "model", 8), chance);
  const receiver = await Receiver.listen();
  await ground.listenTo(receiver.target(200).url);
  const acts = actsOf(ground);
  const names = Object.entries(acts).flatMap(([name, { weight }]) => Array<string>(weight).fill(name));
  const killAt = new Set(Array.from({ length: kills }, (_, i) => Math.floor(((i + 0.5) * steps) / kills)));
  for (let step = 0; step < steps && ground.faults.length === 0; step++) {
    if (killAt.has(step)) await kill(ground);
    else {
      const name = chance.pick(names);
      await take(ground, name, acts[name]);
    }
  }
  if (ground.faults.length === 0) await ground.agreeOnAll();
  if (ground.faults.length === 0) await ground.agreeOnEvents();
  await receiver.close();
  const row = {
    fault: `${steps} random steps, ${kills} kills, beside a reference`,
    jobs: ground.jobs.length + ground.gone.length,
    delivered: ground.claims,
    lost: ground.faults.length,
    duplicated: 0,
    early: 0,
    lateP99Ms: null,
  };
  return { rows: [row], faults: ground.faults, secrets: ground.secrets };
}

async function take(ground: Ground, name: string, act: Act | undefined): Promise<void> {
  if (!act) return;
  if ("run" in act) {
    ground.trail.push(name);
    return act.run();
  }
  const fitting = ground.jobs.filter(act.fits);
  if (fitting.length === 0) return;
  const job = ground.chance.pick(fitting);
  ground.trail.push(`${name} ${job.id.slice(-4)}`);
  await ground.letExpire(job);
  if (!act.fits(job)) return;
  await act.to(job);
  if (ground.jobs.includes(job)) await ground.agree(job);
  if (ground.jobs.length > 0) await ground.agree(ground.chance.pick(ground.jobs));
}

/** In the midst of a change, as far as there is a job for one, or between two steps. */
async function kill(ground: Ground): Promise<void> {
  const acts = killedActs(ground).filter((act) => "fits" in act && ground.jobs.some(act.fits));
  if (acts.length === 0 || ground.chance.happens(25)) return ground.kill();
  await take(ground, "change", ground.chance.pick(acts));
}
