// Keys for as long as a component is shown. Their functions are those of the latest rendering.

import { useEffect, useRef } from "preact/hooks";
import { addBindings, type Binding } from "./bindings.ts";

export function useKeys(bindings: readonly Binding[]): void {
  const latest = useRef(bindings);
  latest.current = bindings;
  const names = bindings.map(({ keys }) => keys).join(",");
  useEffect(
    () =>
      addBindings(
        latest.current.map((binding, n) => ({ ...binding, run: () => (latest.current[n] ?? binding).run() })),
      ),
    [names],
  );
}
