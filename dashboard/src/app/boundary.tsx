// A fault of a screen is said in its place. The navigation stays, and leads to the others.

import type { ComponentChildren } from "preact";
import { useErrorBoundary } from "preact/hooks";
import { asApiError } from "../api/api-error.ts";
import { Problem } from "../ui/problem.tsx";

export function Boundary({ children }: { children: ComponentChildren }) {
  const [fault, reset] = useErrorBoundary((error) => console.error(error));
  if (fault === undefined) return <>{children}</>;
  return <Problem error={asApiError(fault)} onRetry={reset} />;
}
