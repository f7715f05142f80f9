// One attempt: its moments, what was sent, what came back. All of it as text, whatever it contains.

import type { Execution, Job } from "../../api/job.ts";
import { statusWord } from "../../ui/badge.tsx";
import { Code } from "../../ui/code.tsx";
import { Json } from "../../ui/json.tsx";
import { MomentsList } from "./moments-list.tsx";
import { requestOf } from "./request.ts";

interface AttemptDetailsProps {
  readonly job: Job;
  readonly execution: Execution;
}

export function AttemptDetails({ job, execution }: AttemptDetailsProps) {
  const { attempt, error, response, worker_id, trigger, result_text, progress_text, id } = execution;
  const request = requestOf(job, execution);
  return (
    <div class="details">
      <dl class="facts">
        <MomentsList execution={execution} />
        <dt>Because of</dt>
        <dd>{statusWord(trigger)}</dd>
        {worker_id && (
          <>
            <dt>Worker</dt>
            <dd>{worker_id}</dd>
          </>
        )}
        <dt>Execution</dt>
        <dd class="mono">{id}</dd>
        {error && (
          <>
            <dt>Error</dt>
            <dd class="error-text">
              <code>{error.code}</code> {error.message}
            </dd>
          </>
        )}
      </dl>
      {progress_text !== null && (
        <section>
          <h3>Progress</h3>
          <Json text={progress_text} name={`Progress of attempt ${attempt}`} />
        </section>
      )}
      {result_text !== null && (
        <section>
          <h3>Result</h3>
          <Json text={result_text} name={`Result of attempt ${attempt}`} />
        </section>
      )}
      {response && (
        <section>
          <h3>
            Response <span class={response.status < 300 ? "good-text" : "error-text"}>{response.status}</span>
          </h3>
          <Headers of={Object.entries(response.headers)} />
          {response.body !== "" && <Code text={response.body} name={`Response body of attempt ${attempt}`} />}
          {response.truncated && <p class="quiet">The rest of the body was not kept: it was longer than 4 KB.</p>}
        </section>
      )}
      {request && (
        <section>
          <h3>Request</h3>
          <p class="mono">
            {request.method} {request.url}
          </p>
          <Headers of={request.headers} />
          {request.body !== null && <Json text={request.body} name={`Request body of attempt ${attempt}`} />}
        </section>
      )}
    </div>
  );
}

const Headers = ({ of: headers }: { of: readonly (readonly [string, string])[] }) =>
  headers.length === 0 ? null : (
    <details class="headers">
      <summary>
        {headers.length} {headers.length === 1 ? "header" : "headers"}
      </summary>
      <pre>{headers.map(([name, value]) => `${name}: ${value}`).join("\n")}</pre>
    </details>
  );
