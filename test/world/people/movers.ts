// The operator moves an account from one database to another and on, whatever it is doing.

import type { Chance } from "../platform/chance.ts";
import { type Client, isDone } from "./client.ts";

const SECOND = 1_000;

export async function mover(client: Client, chance: Chance): Promise<void> {
  const { world, tenant } = client;
  if (world.databases === 1) return;
  tenant.moves = true;
  while (world.isOpen) {
    await world.sleep(chance.around(30 * SECOND));
    if (!world.isOpen) return;
    const database = chance.int(0, world.databases - 1);
    const asked = await client.operator("POST", `/accounts/${tenant.id}/move`, { database });
    if (isDone(asked)) world.note("moves", tenant.id, `to ${database}`);
    else if (asked && asked.status !== 409)
      // it is on its way to another one
      world.ledger.violated("the operator moves an account", `${tenant.name}: ${asked.status}`);
  }
}
