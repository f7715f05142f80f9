// The trace that a request belongs to, for the job it creates.

import { parseTraceparent } from "../domain/trace-context.ts";
import type { AppContext } from "../http/app-env.ts";

/** null when the caller has said none, or nothing that is one. */
export const traceparentOf = (c: AppContext): string | null => parseTraceparent(c.req.header("traceparent"));
