// The service dies in the midst of its load.

import type { Service } from "../../harness/service.ts";

/** It comes back to all that was under way, and to everybody who asks again. */
const COME_BACK_MS = 60_000;

export const crash = (service: Service): Promise<void> => service.crash(COME_BACK_MS);
