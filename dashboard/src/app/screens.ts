// Which screen a path shows. A new screen is a folder under `screens/`, a line here, and, if it is to be found in the
// navigation, one in `NAVIGATION`.

import type { ComponentType } from "preact";
import { Flow } from "../screens/flows/flow.tsx";
import { Flows } from "../screens/flows/flows.tsx";
import { Job } from "../screens/job/job.tsx";
import { EditJob } from "../screens/job-form/edit-job.tsx";
import { NewJob } from "../screens/job-form/new-job.tsx";
import { Jobs } from "../screens/jobs/jobs.tsx";
import { NotFound } from "../screens/not-found.tsx";
import { Overview } from "../screens/overview/overview.tsx";
import { EditSchedule, NewSchedule } from "../screens/schedules/edit-schedule.tsx";
import { Schedule } from "../screens/schedules/schedule.tsx";
import { Schedules } from "../screens/schedules/schedules.tsx";
import { Settings } from "../screens/settings/settings.tsx";
import { Workers } from "../screens/workers/workers.tsx";
import { paramsOf } from "./path-params.ts";

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
  { pattern: "/", component: Overview, title: "Overview" },
  { pattern: "/jobs", component: Jobs, title: "Jobs" },
  { pattern: "/jobs/new", component: NewJob, title: "New job" },
  { pattern: "/jobs/:id/edit", component: EditJob, title: "Edit a job" },
  { pattern: "/jobs/:id", component: Job, title: "Job" },
  { pattern: "/schedules", component: Schedules, title: "Schedules" },
  { pattern: "/schedules/new", component: NewSchedule, title: "New schedule" },
  { pattern: "/schedules/:id", component: Schedule, title: "Schedule" },
  { pattern: "/schedules/:id/edit", component: EditSchedule, title: "Change schedule" },
  { pattern: "/flows", component: Flows, title: "Flows" },
  { pattern: "/flows/:key", component: Flow, title: "Flow" },
  { pattern: "/workers", component: Workers, title: "Workers" },
  { pattern: "/settings", component: Settings, title: "Settings" },
];

interface Entry {
  readonly path: string;
  readonly label: string;
  /** The second key after `g`. */
  readonly key: string;
}

export const NAVIGATION: readonly Entry[] = [
  { path: "/", label: "Overview", key: "o" },
  { path: "/jobs", label: "Jobs", key: "j" },
  { path: "/schedules", label: "Schedules", key: "s" },
  { path: "/flows", label: "Flows", key: "f" },
  { path: "/workers", label: "Workers", key: "w" },
  { path: "/settings", label: "Settings", key: "," },
];

/** Where `/` leads. */
export const START: string = "/";

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
