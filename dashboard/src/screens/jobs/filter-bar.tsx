// The filters as chips. Each is a part of the address, so the back button undoes it and a link keeps it.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { STATUSES } from "../../api/job.ts";
import { href, navigate } from "../../app/router.ts";
import { statusWord } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Chip, ToggleChip } from "../../ui/chip.tsx";
import { formatExact } from "../../ui/time-format.ts";
import { zone } from "../../ui/zone.ts";
import { FILTERS, type Filter, type FilterField, queryOf, valuesOf, withoutValue, withValue } from "./filter.ts";

export const showFilter = (filter: Filter): void => navigate(href("/jobs", queryOf(filter)));

export function FilterBar({ filter }: { filter: Filter }) {
  const isAdding = useSignal(false);
  const statuses = valuesOf(filter, "status");
  const others = filter.filter(([name]) => name !== "status");
  return (
    <div class="filters row">
      <fieldset>
        <legend class="visually-hidden">Status</legend>
        {STATUSES.map((status) => (
          <ToggleChip
            key={status}
            isOn={statuses.includes(status)}
            onToggle={() =>
              showFilter(
                statuses.includes(status)
                  ? withoutValue(filter, "status", status)
                  : withValue(filter, "status", status),
              )
            }
          >
            <span class={`badge ${status}`}>{statusWord(status)}</span>
          </ToggleChip>
        ))}
      </fieldset>
      {others.map(([name, value]) => {
        const field = FILTERS.find((one) => one.name === name);
        return (
          <Chip
            key={name + value}
            label={field?.label ?? name}
            removes={`the filter ${field?.label ?? name} ${value}`}
            title={value}
            onRemove={() => showFilter(withoutValue(filter, name, value))}
          >
            <bdi>{field?.kind === "time" ? shownTime(value) : value}</bdi>
          </Chip>
        );
      })}
      {isAdding.value ? (
        <AddFilter filter={filter} onClose={() => (isAdding.value = false)} />
      ) : (
        <Button small look="plain" onClick={() => (isAdding.value = true)}>
          + Filter
        </Button>
      )}
      {filter.length > 1 && (
        <Button small look="plain" onClick={() => showFilter([])}>
          Clear
        </Button>
      )}
    </div>
  );
}

const shownTime = (value: string): string => {
  const at = Date.parse(value);
  return Number.isNaN(at) ? value : formatExact(at, zone.value);
};

const FIRST = FILTERS[0] as FilterField;

function AddFilter({ filter, onClose }: { filter: Filter; onClose: () => void }) {
  const field = useSignal(FIRST);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector("select")?.focus(), []);
  const { name, kind, choices, hint } = field.value;
  const add = (event: Event) => {
    event.preventDefault();
    const input = form.current?.elements.namedItem("value");
    const typed = input instanceof HTMLInputElement || input instanceof HTMLSelectElement ? input.value : "";
    const value = kind === "time" ? instantOf(typed) : typed.trim();
    if (value === "") return;
    onClose();
    showFilter(withValue(filter, name, value));
  };
  return (
    <form
      ref={form}
      class="add-filter row"
      onSubmit={add}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <select
        class="input"
        aria-label="Filter by"
        value={name}
        onChange={(event) => {
          field.value = FILTERS.find((one) => one.name === event.currentTarget.value) ?? FIRST;
        }}
      >
        {FILTERS.map((one) => (
          <option key={one.name} value={one.name}>
            {one.label}
          </option>
        ))}
      </select>
      {choices ? (
        <select class="input" name="value" aria-label="Value" key={name}>
          {choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      ) : (
        <ValueInput key={name} kind={kind} hint={hint} />
      )}
      <Button small type="submit" look="primary">
        Add
      </Button>
      <Button small look="plain" aria-label="Add no filter" onClick={onClose}>
        ✕
      </Button>
    </form>
  );
}

function ValueInput({ kind, hint }: { kind: FilterField["kind"]; hint: string | undefined }) {
  const common = { class: "input", name: "value", "aria-label": "Value", autocomplete: "off" } as const;
  if (kind === "time") return <input {...common} type="datetime-local" step={1} />;
  return <input {...common} type="text" title={hint} placeholder={hint} maxLength={255} spellcheck={false} />;
}

/** A time from the field, on the clock that the pages show. */
function instantOf(typed: string): string {
  const at = Date.parse(zone.value === "utc" ? `${typed}Z` : typed);
  return Number.isNaN(at) ? "" : new Date(at).toISOString();
}
