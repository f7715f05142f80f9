// Everybody who may live in a world, and in how many worlds they do. A person lives until the world closes.

import type { Chance } from "../platform/chance.ts";
import { asker } from "./askers.ts";
import { caller } from "./callers.ts";
import { canceller, changer, deleter, retrier, runner } from "./changers.ts";
import type { Client } from "./client.ts";
import { queuer } from "./consumers.ts";
import { batcher, creator, hasty, replacer, waverer } from "./creators.ts";
import { flowKeeper, flowMover } from "./flow-people.ts";
import { keyHolder } from "./key-holders.ts";
import { leaver } from "./leavers.ts";
import { mover } from "./movers.ts";
import { bulkActor, operator } from "./operators.ts";
import { reader } from "./readers.ts";
import { scheduler } from "./schedulers.ts";
import { worker } from "./workers.ts";

export interface Trade {
  readonly name: string;
  /** In this share of all worlds there is one for each tenant. */
  readonly share: number;
  live(client: Client, chance: Chance): Promise<void>;
}

export const PEOPLE: readonly Trade[] = [
  { name: "creator", share: 1, live: creator },
  { name: "worker", share: 1, live: worker },
  { name: "batcher", share: 0.4, live: batcher },
  { name: "replacer", share: 0.3, live: replacer },
  { name: "hasty", share: 0.3, live: hasty },
  { name: "waverer", share: 0.3, live: waverer },
  { name: "canceller", share: 0.5, live: canceller },
  { name: "changer", share: 0.4, live: changer },
  { name: "runner", share: 0.3, live: runner },
  { name: "retrier", share: 0.4, live: retrier },
  { name: "deleter", share: 0.3, live: deleter },
  { name: "bulk-actor", share: 0.25, live: bulkActor },
  { name: "scheduler", share: 0.4, live: scheduler },
  { name: "operator", share: 0.25, live: operator },
  { name: "reader", share: 0.4, live: reader },
  { name: "key-holder", share: 0.2, live: keyHolder },
  { name: "leaver", share: 0.15, live: leaver },
  { name: "caller", share: 0.25, live: caller },
  { name: "queuer", share: 0.25, live: queuer },
  { name: "asker", share: 0.3, live: asker },
  { name: "flow-keeper", share: 0.5, live: flowKeeper },
  { name: "flow-mover", share: 0.2, live: flowMover },
  { name: "mover", share: 0.35, live: mover },
];
