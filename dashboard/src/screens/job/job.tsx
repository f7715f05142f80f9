// One job.

import type { ScreenProps } from "../../app/screens.ts";

export const Job = ({ params }: ScreenProps) => <h1>{params.id}</h1>;
