// What lists cost an account with many jobs: the first page, a late one, and filters that find much, little and nothing; and
// what the overview and a scrape cost.

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

/** Read by people who look, and each minute by whoever scrapes. */
const INSIGHT = ["/v1/overview?window=1h", "/v1/overview?window=7d", "/v1/metrics"];

export async function measureInsight(tenant: Tenant, runs: number): Promise<ListFigure[]> {
  const figures: ListFigure[] = [];
  for (const path of INSIGHT) {
    const times: number[] = [];
    let lines = 0;
    for (let run = 0; run < runs; run++) {
      const began = performance.now();
      const answer = await tenant.get(path);
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
      times.push(performance.now() - began);
      lines = text.split("\n").length;
    }
    figures.push({ query: path, rows: lines, p50: median(times) });
  }
  return figures;
}

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
