// The trace that a request belongs to, for the job it creates.

import { parseTraceparent } from "../domain/trace-context.ts";
import type { AppContext } from "../http/app-env.ts";

/** null without the header, or with one that is malformed. */
export const traceparentOf = (c: AppContext): string | null => parseTraceparent(c.req.header("traceparent"));
