// Which screen a path shows. A new screen is a folder under `screens/`, a line here, and, if it is to be found in the
// navigation, one in `NAVIGATION`.

import type { ComponentType } from "preact";
import { Job } from "../screens/job/job.tsx";
import { EditJob } from "../screens/job-form/edit-job.tsx";
import { NewJob } from "../screens/job-form/new-job.tsx";
import { Jobs } from "../screens/jobs/jobs.tsx";
import { NotFound } from "../screens/not-found.tsx";

/** What a screen is given: the parts of its path that its pattern names. */
export interface ScreenProps {
  readonly params: Readonly<Record<string, string>>;
}

interface Screen {
  /** Below the dashboard; `:name` stands for one part: `/jobs/:id`. */
  readonly pattern: string;
  readonly component: ComponentType<ScreenProps>;
  /** For the window's title. */
  readonly title: string;
}

/** The first that fits is shown. */
export const SCREENS: readonly Screen[] = [
  { pattern: "/jobs", component: Jobs, title: "Jobs" },
  { pattern: "/jobs/new", component: NewJob, title: "New job" },
  { pattern: "/jobs/:id/edit", component: EditJob, title: "Edit a job" },
  { pattern: "/jobs/:id", component: Job, title: "Job" },
];

interface Entry {
  readonly path: string;
  readonly label: string;
  /** The second key after `g`. */
  readonly key: string;
}

export const NAVIGATION: readonly Entry[] = [{ path: "/jobs", label: "Jobs", key: "j" }];

/** Where `/` leads. */
export const START: string = "/jobs";

const NOT_FOUND: Screen = { pattern: "", component: NotFound, title: "Not found" };

export interface Shown extends Screen {
  readonly params: Readonly<Record<string, string>>;
}

export function screenOf(path: string, screens: readonly Screen[] = SCREENS): Shown {
  for (const screen of screens) {
    const params = paramsOf(screen.pattern, path);
    if (params) return { ...screen, params };
  }
  return { ...NOT_FOUND, params: {} };
}

/** The named parts of a path that has the pattern's form; otherwise undefined. */
export function paramsOf(pattern: string, path: string): Record<string, string> | undefined {
  const [wanted, parts] = [pattern.split("/"), path.split("/")];
  if (wanted.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [n, want] of wanted.entries()) {
    const part = parts[n] ?? "";
    if (want.startsWith(":") && part !== "") params[want.slice(1)] = decoded(part);
    else if (want !== part) return undefined;
  }
  return params;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
