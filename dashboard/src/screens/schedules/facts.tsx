// The facts that all jobs of a schedule share.

import type { ComponentChildren } from "preact";
import type { Schedule } from "../../api/schedule.ts";
import { href } from "../../app/router.ts";
import { Chip } from "../../ui/chip.tsx";
import { Code } from "../../ui/code.tsx";
import { Exact } from "../../ui/time.tsx";
import { intervalWords } from "./recurrence.ts";

const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </>
);

export function Facts({ schedule }: { schedule: Schedule }) {
  const { delivery, handler, payload_text, tags, flow, stop_at, expires_after, idempotency_key } = schedule;
  return (
    <section class="panel" aria-labelledby="facts">
      <header>
        <h2 id="facts">Its jobs</h2>
      </header>
      <div class="inside stack">
        <dl class="facts">
          {handler !== null && (
            <Fact name="Handler">
              <a href={href("/schedules", { handler })}>{handler}</a>
            </Fact>
          )}
          <Fact name="Delivery">
            {delivery.type === "push" ? (
              <>
                <code>{delivery.http.method}</code> {delivery.http.url}
              </>
            ) : (
              `pulled by a worker${delivery.queue ? ` from the queue ${delivery.queue}` : ""}`
            )}
          </Fact>
          <Fact name="Timeout">{schedule.timeout} s</Fact>
          <Fact name="Retries">up to {schedule.max_retries}</Fact>
          <Fact name="Overlap">
            {schedule.overlap === "skip" ? "skipped while the run before has not ended" : "runs may overlap"}
          </Fact>
          {expires_after && <Fact name="Expires">{intervalWords(expires_after).replace("every", "after")}</Fact>}
          {stop_at !== null && (
            <Fact name="Stops">
              <Exact at={stop_at} />
            </Fact>
          )}
          {tags.length > 0 && (
            <Fact name="Tags">
              <span class="row">
                {tags.map((tag) => (
                  <Chip key={tag}>{tag}</Chip>
                ))}
              </span>
            </Fact>
          )}
          {flow !== null && (
            <Fact name="Flow">
              <a href={href(`/flows/${encodeURIComponent(flow)}`)}>{flow}</a>
            </Fact>
          )}
          {idempotency_key !== null && <Fact name="Key">{idempotency_key}</Fact>}
          <Fact name="Created">
            <Exact at={schedule.created_at} />
          </Fact>
          <Fact name="Id">
            <span class="mono">{schedule.id}</span>
          </Fact>
        </dl>
        {payload_text && <Code text={payload_text} name="Payload" />}
      </div>
    </section>
  );
}
