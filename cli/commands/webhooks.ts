// `chronos-edge webhooks …`

import type { Command } from "commander";
import type { EventType, Webhook } from "../../sdk/src/index.ts";
import type { Bind, Context } from "../context.ts";
import { type Cell, table } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import { many } from "../values.ts";
import { forEachId, readList, takeListSize } from "./lists.ts";

export function webhookCommands(program: Command, bind: Bind): void {
  const webhooks = program.command("webhooks").description("who is told of events");
  takeListSize(webhooks.command("list").description("all webhooks")).action(bind(list));
  webhooks
    .command("create")
    .description("tell a URL of events from now on")
    .argument("<url>")
    .requiredOption("--event <type>", "such as job.failed; may be repeated", many)
    .option("--description <text>")
    .action(bind(create));
  const change = (name: string, description: string) =>
    webhooks.command(name).description(description).argument("<id...>");
  change("enable", "send events again").action(bind(forEachId(setEnabled(true), line)));
  change("disable", "send no events").action(bind(forEachId(setEnabled(false), line)));
  change("test", "send an event of type webhook.test").action(
    bind(
      forEachId(
        ({ chronos }, id) => chronos.webhooks.test(id),
        (job) => `${job.id}  ${job.status}`,
      ),
    ),
  );
  change("delete", "delete webhooks").action(bind(forEachId(deleted, ({ id }) => `${id}  deleted`)));
}

async function list(context: Context, _: [], { limit, all }: { limit: number; all?: boolean }): Promise<void> {
  const webhooks = await readList((size) => context.chronos.webhooks.list({ size }), limit, all);
  context.print(webhooks, () => webhookTable(context.terminal, webhooks));
}

async function create(
  { chronos, print }: Context,
  [url]: [string],
  { event, description }: { event: string[]; description?: string },
): Promise<void> {
  const webhook = await chronos.webhooks.create({ url, events: event as EventType[], description });
  print(webhook, () => line(webhook));
}

const setEnabled =
  (enabled: boolean) =>
  ({ chronos }: Context, id: string): Promise<Webhook> =>
    chronos.webhooks.update(id, { enabled });

async function deleted({ chronos }: Context, id: string): Promise<{ id: string }> {
  await chronos.webhooks.delete(id);
  return { id };
}

const line = ({ id, enabled }: Webhook): string => `${id}  ${enabled ? "enabled" : "disabled"}`;

function webhookTable(terminal: Terminal, webhooks: readonly Webhook[]): string {
  if (webhooks.length === 0) return "No webhooks.";
  const rows = webhooks.map((one): Cell[] => [
    one.id,
    one.enabled ? { text: "enabled", style: "green" } : { text: "disabled", style: "red" },
    one.events.join(", "),
    one.url,
    one.disabledReason ?? "",
  ]);
  return table(terminal, ["ID", "STATE", "EVENTS", "URL", "WHY DISABLED"], rows);
}
