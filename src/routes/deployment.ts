// What this deployment allows a job, as the request found it.

import { namedQueues } from "../delivery/queues.ts";
import { targetRules } from "../delivery/target-rules.ts";
import type { AppContext } from "../http/app-env.ts";
import type { Deployment } from "./work-input.ts";

export const deploymentOf = (c: AppContext): Deployment => ({
  rules: targetRules(c.env, new URL(c.req.url).host),
  queues: [...namedQueues(c.env).keys()],
});
