// `chronos-edge keys …`

import { type Command, Option } from "commander";
import type { KeyScope } from "../../sdk/src/index.ts";
import type { Bind, Context } from "../context.ts";
import { moment, relative } from "../moments.ts";
import { type Cell, table } from "../table.ts";
import { duration, seconds } from "../values.ts";
import { forEachId, readList, takeListSize } from "./lists.ts";

const SCOPES: KeyScope[] = ["full", "read", "create", "worker"];

export function keyCommands(program: Command, bind: Bind): void {
  const keys = program.command("keys").description("the account's API keys");
  takeListSize(keys.command("list").description("keys, without the keys themselves")).action(bind(list));
  keys
    .command("create")
    .description("create a key; it is printed only this once")
    .argument("<name>")
    .addOption(new Option("--scope <scope>", "what it may do").choices(SCOPES).default("full"))
    .option("--expires-in <span>", "it stops working after this, such as 30d", duration)
    .action(bind(create));
  keys
    .command("delete")
    .description("refuse keys from now on")
    .argument("<id...>")
    .action(bind(forEachId(deleted, ({ id }) => `${id}  deleted`)));
}

async function list(context: Context, _: [], { limit, all }: { limit: number; all?: boolean }): Promise<void> {
  const { chronos, terminal, now } = context;
  const keys = await readList((size) => chronos.apiKeys.list({ size }), limit, all);
  const rows = keys.map((key): Cell[] => [
    key.id,
    `${key.prefix}…`,
    key.scope,
    key.expiresAt === null ? "never" : relative(key.expiresAt, now),
    relative(key.createdAt, now),
    key.name,
  ]);
  context.print(keys, () => table(terminal, ["ID", "KEY", "SCOPE", "EXPIRES", "CREATED", "NAME"], rows));
}

type CreateOptions = { scope: KeyScope; expiresIn?: ReturnType<typeof duration> };

async function create(context: Context, [name]: [string], { scope, expiresIn }: CreateOptions): Promise<void> {
  const { chronos, terminal, now } = context;
  const expiresAt = expiresIn && new Date(now + 1_000 * seconds(`${expiresIn.value}${expiresIn.unit.charAt(0)}`));
  const made = await chronos.apiKeys.create({ name, scope, expiresAt });
  // The key alone on the standard output, so that it can be piped to where it belongs.
  if (!context.json) {
    const until = made.expiresAt === null ? "does not expire" : `expires ${moment(made.expiresAt, now)}`;
    terminal.err(`A ${made.scope} key (${made.id}) that ${until}. It is shown only this once:`);
  }
  context.print(made, () => made.key);
}

async function deleted({ chronos }: Context, id: string): Promise<{ id: string }> {
  await chronos.apiKeys.delete(id);
  return { id };
}
