// One flow: the only writer of its limits, line and slots. The row in D1 is a copy for lists.

import { DurableObject } from "cloudflare:workers";
import type { AskedFlow, Flow, FlowView, SlotEnd, Ticket } from "../../domain/flow.ts";
import * as rules from "../../domain/flow.ts";
import { err, ok } from "../../domain/result.ts";
import type { InLine } from "../../domain/waiting-on.ts";
import type { FlowRef } from "../../store/flows-store.ts";
import type { FlowAnswer, FlowOwner, PutFlow, Turn } from "../owners.ts";
import { runFlowErrands, writeRow } from "./errands.ts";
import { FlowKeeper } from "./flow-keeper.ts";

type Seen = readonly number[] | null;

export class FlowObject extends DurableObject<Cloudflare.Env> implements FlowOwner {
  readonly #keeper = new FlowKeeper(this.ctx, this.env);

  async ask(_ref: FlowRef, ticket: Ticket): Promise<Turn> {
    return this.#keeper.ask(ticket);
  }

  async release(_ref: FlowRef, ticket: Ticket, end: SlotEnd, startedAt: number | null = null): Promise<void> {
    if (this.#keeper.record.read()) this.#keeper.release(ticket, end, startedAt);
  }

  async get(_ref: FlowRef): Promise<FlowView | null> {
    const flow = this.#present();
    return flow ? this.#keeper.view(flow) : null;
  }

  async place(_ref: FlowRef, ticket: Ticket): Promise<InLine | null> {
    const flow = this.#present();
    return flow ? { flow: this.#keeper.view(flow), place: this.#keeper.line.place(ticket) } : null;
  }

  async put(ref: FlowRef, asked: AskedFlow, seen: Seen): Promise<FlowAnswer<PutFlow>> {
    const known = this.#keeper.record.read();
    const present = this.#present();
    if (seen && !present) return err({ code: "flow_not_found" });
    if (seen && present && !seen.includes(present.revision)) return err({ code: "flow_moved" });
    const now = Date.now();
    const flow = rules.put(known, { ...asked, paused: asked.paused ?? present?.paused ?? false }, ref, now);
    this.#keeper.record.write(flow, now);
    this.#keeper.fill(now);
    const written = await writeRow(this.#keeper, this.env);
    if (written === "refused") return err({ code: "flow_limit_reached" });
    if (written === "unavailable" && !present) return err({ code: "unavailable", retryAfterSeconds: 5 });
    return ok({ flow: this.#keeper.view(this.#keeper.record.read() ?? flow), created: !present });
  }

  async pause(_ref: FlowRef): Promise<FlowAnswer<FlowView>> {
    return this.#change(rules.pause, null);
  }

  async resume(_ref: FlowRef): Promise<FlowAnswer<FlowView>> {
    return this.#change(rules.resume, null);
  }

  async remove(_ref: FlowRef, seen: Seen): Promise<FlowAnswer<null>> {
    const removed = await this.#change(rules.remove, seen);
    return removed.ok ? ok(null) : removed;
  }

  override async alarm(info?: AlarmInvocationInfo): Promise<void> {
    const { record } = this.#keeper;
    await record.ring(info?.retryCount ?? 0, this.ctx.id.name, () => runFlowErrands(this.#keeper, this.env));
  }

  /** The flow as the API shows it. A deleted flow is not shown, although its line may not be empty yet. */
  #present(): Flow | undefined {
    const flow = this.#keeper.record.read();
    return flow?.isDeleted ? undefined : flow;
  }

  async #change(step: (flow: Flow, now: number) => Flow, seen: Seen): Promise<FlowAnswer<FlowView>> {
    const flow = this.#present();
    if (!flow) return err({ code: "flow_not_found" });
    if (seen && !seen.includes(flow.revision)) return err({ code: "flow_moved" });
    const now = Date.now();
    const changed = step(flow, now);
    if (changed === flow) return ok(this.#keeper.view(flow));
    this.#keeper.record.write(changed, now);
    this.#keeper.fill(now);
    await writeRow(this.#keeper, this.env);
    return ok(this.#keeper.view(this.#keeper.record.read() ?? changed));
  }
}
