// Asks for the overview. A read: repeated after every passing fault.

import { isPassing } from "./api-error.ts";
import { CALL_OPTIONS, limitsOf } from "./call-options.ts";
import type { Connection } from "./connection.ts";
import type { Fields } from "./known-fields.ts";
import type { Overview, OverviewOptions } from "./overview.ts";
import { retrying } from "./retrying.ts";
import { overviewFromWire, type WireOverview } from "./wire-overview.ts";

const OPTIONS: Fields<OverviewOptions> = { ...CALL_OPTIONS, window: true };

export async function readOverview(connection: Connection, options: OverviewOptions): Promise<Overview> {
  const limits = limitsOf(connection, "overview()", options, OPTIONS);
  const { window } = options;
  const path = window === undefined ? "/v1/overview" : `/v1/overview?window=${encodeURIComponent(window)}`;
  const { data } = await retrying(connection, { method: "GET", path }, limits, isPassing);
  return overviewFromWire(data as WireOverview);
}
