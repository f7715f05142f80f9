// Which rows are selected: some of those that are shown, or all jobs that match the filter, shown or not.

export type Selected =
  | {
      readonly kind: "some";
      readonly ids: ReadonlySet<string> /** Where a range begins. */;
      readonly anchor: string | null;
    }
  | { readonly kind: "matching" };

export const NONE: Selected = { kind: "some", ids: new Set(), anchor: null };

export const isSelected = (selected: Selected, id: string): boolean =>
  selected.kind === "matching" || selected.ids.has(id);

export const isEmpty = (selected: Selected): boolean => selected.kind === "some" && selected.ids.size === 0;

/** Switches one row. Of "all that match" nothing remains but the rows that are shown. */
export function toggled(selected: Selected, id: string, shown: readonly string[]): Selected {
  const ids = new Set(selected.kind === "matching" ? shown : selected.ids);
  if (!ids.delete(id)) ids.add(id);
  return { kind: "some", ids, anchor: id };
}

/** Switches all rows between the one that was switched last and this one to what this one becomes. */
export function withRange(selected: Selected, id: string, shown: readonly string[]): Selected {
  const anchor = selected.kind === "some" ? selected.anchor : null;
  const [from, to] = [anchor === null ? -1 : shown.indexOf(anchor), shown.indexOf(id)];
  if (from < 0 || to < 0) return toggled(selected, id, shown);
  const ids = new Set(selected.kind === "matching" ? shown : selected.ids);
  const isOn = !ids.has(id);
  for (const one of shown.slice(Math.min(from, to), Math.max(from, to) + 1)) {
    if (isOn) ids.add(one);
    else ids.delete(one);
  }
  return { kind: "some", ids, anchor: id };
}

/** All rows that are shown, or none if they are already. */
export function withPage(selected: Selected, shown: readonly string[]): Selected {
  const areAll = shown.length > 0 && shown.every((id) => isSelected(selected, id));
  return areAll ? NONE : { kind: "some", ids: new Set(shown), anchor: null };
}
