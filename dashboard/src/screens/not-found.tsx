// An address that leads nowhere.

import { href } from "../app/router.ts";
import { Empty } from "../ui/problem.tsx";

export const NotFound = () => (
  <Empty title="There is no such page">
    <p>
      Perhaps it was deleted. <a href={href("/jobs")}>All jobs</a>
    </p>
  </Empty>
);
