// Whether a flow lets attempts start, and if not, who has paused it.

import type { Flow } from "../../api/flow.ts";
import { StatusBadge } from "../../ui/badge.tsx";
import { Ago } from "../../ui/time.tsx";

export const State = ({ flow: { paused, paused_until } }: { flow: Flow }) =>
  paused || paused_until === null ? (
    <StatusBadge status={paused ? "paused" : "active"} />
  ) : (
    <span class="by-breaker">
      <StatusBadge status="paused" />{" "}
      <span class="quiet">
        by its breaker; the next try is <Ago at={paused_until} />
      </span>
    </span>
  );
