// The verdict as the screen's heading, and what else is worth knowing below it.

import { href } from "../../app/router.ts";
import type { Finding } from "./finding.ts";
import type { Verdict } from "./verdict.ts";

export const VerdictLine = ({ verdict: { first, others } }: { verdict: Verdict }) => (
  <header class={`verdict ${first.tone}`}>
    <h1>
      <Sentence finding={first} />
    </h1>
    {others.length > 0 && (
      <ul>
        {others.map((finding) => (
          <li
            key={finding.parts.map((part) => (typeof part === "string" ? part : part.name)).join("")}
            class={finding.tone}
          >
            <Sentence finding={finding} />
          </li>
        ))}
      </ul>
    )}
  </header>
);

const LOOK: Readonly<Record<string, string>> = { "/workers": "See workers", "/flows": "See flows" };

const Sentence = ({ finding: { parts, leadsTo } }: { finding: Finding }) => (
  <>
    {parts.map((part) => (typeof part === "string" ? part : <code key={part.name}>{part.name}</code>))}
    {leadsTo && (
      <>
        {" "}
        <a class="look" href={href(leadsTo.path, leadsTo.query)}>
          {LOOK[leadsTo.path] ?? "See jobs"}
        </a>
      </>
    )}
  </>
);
