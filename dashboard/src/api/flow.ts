// A flow as the API shows it.

export type { WireFlow as Flow } from "../../../sdk/src/wire-flow.ts";
