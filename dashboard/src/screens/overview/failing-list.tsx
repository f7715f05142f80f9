// Failures in groups: the code, where, how many and when last; and for each group its jobs, and a way to retry them.

import { useSignal } from "@preact/signals";
import { mayChange } from "../../api/session.ts";
import { href } from "../../app/router.ts";
import { AskBulk } from "../../bulk/ask.tsx";
import { Button } from "../../ui/button.tsx";
import { formatNumber } from "../../ui/number-format.ts";
import { Ago } from "../../ui/time.tsx";
import { byCode } from "./failing-codes.ts";
import { jobsOfFailing } from "./jobs-of.ts";
import type { Failing, Overview } from "./overview-answer.ts";

const WORDS = { "15m": "15 min", "1h": "hour", "24h": "24 hours", "7d": "7 days" } as const;

/** Beyond, the list is longer than anybody reads. */
const SHOWN = 12;

export function FailingList({ overview }: { overview: Overview }) {
  const asked = useSignal<Failing | null>(null);
  const areAllShown = useSignal(false);
  const codes = byCode(overview.failing);
  const groups = codes.reduce((sum, code) => sum + code.groups.length, 0);
  const close = () => {
    asked.value = null;
  };
  const filter = asked.value && jobsOfFailing(asked.value, overview);
  let left = areAllShown.value ? Number.POSITIVE_INFINITY : SHOWN;
  return (
    <section class="panel failing" aria-labelledby="failing">
      <header>
        <h2 id="failing">Failures of the last {WORDS[overview.window]}</h2>
        <span class="quiet">failed attempts, by code, handler and host</span>
      </header>
      {groups === 0 ? (
        <p class="inside quiet">No attempt has failed.</p>
      ) : (
        <ul>
          {codes.map(({ code, meaning, count, groups }) => {
            const some = groups.slice(0, left);
            left -= some.length;
            return (
              some.length > 0 && (
                <li key={code}>
                  <h3>
                    <code>{code}</code> <span class="quiet">{meaning}</span>
                    <strong class="number">{formatNumber(count)}</strong>
                  </h3>
                  <ul>
                    {some.map((group) => (
                      <Group
                        key={`${group.handler} ${group.host}`}
                        group={group}
                        overview={overview}
                        onRetry={() => {
                          asked.value = group;
                        }}
                      />
                    ))}
                  </ul>
                </li>
              )
            );
          })}
        </ul>
      )}
      {groups > SHOWN && !areAllShown.value && (
        <p class="inside">
          <Button small onClick={() => (areAllShown.value = true)}>
            Show all {groups} groups
          </Button>
        </p>
      )}
      {asked.value && filter && (
        <AskBulk verb="retry" selection={{ filter }} of={`failed with ${nameOf(asked.value)}`} onClose={close} />
      )}
    </section>
  );
}

/** In words: `http_status from billing.example`. */
const nameOf = ({ error_code, handler, host }: Failing): string =>
  [error_code, handler !== null && `in ${handler}`, host !== null && `from ${host}`].filter(Boolean).join(" ");

interface GroupProps {
  readonly group: Failing;
  readonly overview: Overview;
  readonly onRetry: () => void;
}

function Group({ group, overview, onRetry }: GroupProps) {
  const jobs = jobsOfFailing(group, overview);
  const where = group.host ?? group.handler ?? "different handlers and hosts";
  return (
    <li class="group">
      <span class="where">
        <span class="cut" title={where}>
          {where}
        </span>
        {group.host !== null && group.handler !== null && <span class="quiet cut">{group.handler}</span>}
      </span>
      <span class="number">{formatNumber(group.count)}</span>
      <span class="when">
        <a href={href(`/jobs/${group.job_id}`)} title="The job that failed last">
          <Ago at={group.last_at} />
        </a>
      </span>
      <span class="row tools">
        {jobs && (
          <a data-walk class="button small" href={href("/jobs", jobs)} aria-label={`Show jobs: ${nameOf(group)}`}>
            Show
          </a>
        )}
        {jobs && mayChange.value && (
          <Button small onClick={onRetry} aria-label={`Retry all: ${nameOf(group)}`}>
            Retry all
          </Button>
        )}
      </span>
    </li>
  );
}
