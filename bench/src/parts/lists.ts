// What lists cost an account with many jobs: the first page, a late one, and filters that find much, little and nothing.

import { median } from "../stats.ts";
import type { Tenant } from "../systems/tenant.ts";

export interface ListFigure {
  readonly query: string;
  readonly rows: number;
  readonly p50: number;
}

const FINDING = ["size=20", "size=100", "handler=bench-3&size=20", "status=failed&size=20"];

/** The last page that can be asked for by its number; a smaller account has none. */
const LATE = "size=100&page=100";

const FINDING_NOTHING = ["status=running&size=20", "status=retrying&status=queued&size=20", "handler=nobody&size=20"];

const QUERIES = [...FINDING, LATE, ...FINDING_NOTHING];

export async function measureLists(tenant: Tenant, runs: number): Promise<ListFigure[]> {
  const figures: ListFigure[] = [];
  for (const query of QUERIES) {
    const times: number[] = [];
    let rows = 0;
    for (let run = 0; run < runs; run++) {
      const began = performance.now();
      const answer = await tenant.get(`/v1/jobs?${query}`);
      const { data } = (await answer.json()) as { data: unknown[] };
      if (!answer.ok) throw new Error(`the list ${query} answered ${answer.status}`);
      if (FINDING.includes(query) && data.length === 0) throw new Error(`the list ${query} found nothing`);
      if (FINDING_NOTHING.includes(query) && data.length > 0) throw new Error(`the list ${query} found something`);
      times.push(performance.now() - began);
      rows = data.length;
    }
    figures.push({ query, rows, p50: median(times) });
  }
  return figures;
}
