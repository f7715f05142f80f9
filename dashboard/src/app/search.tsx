// Search from anywhere: a job by its id, or by its idempotency key. A schedule is found by its id as well.

import { useSignal } from "@preact/signals";
import { asApiError } from "../api/api-error.ts";
import { findAnything } from "../api/find.ts";
import { href, navigate } from "./router.ts";

const ID = "search";

export const focusSearch = (): void => {
  const field = document.getElementById(ID);
  if (field instanceof HTMLInputElement) {
    field.focus();
    field.select();
  }
};

export function Search() {
  const said = useSignal("");
  const search = async (field: HTMLInputElement) => {
    const text = field.value.trim();
    if (text === "") return;
    said.value = "Searching…";
    try {
      const path = await findAnything(text);
      if (path === null) {
        said.value = "Nothing has this id or key.";
        return;
      }
      said.value = "";
      field.value = "";
      field.blur();
      navigate(href(path));
    } catch (thrown) {
      said.value = asApiError(thrown).message;
    }
  };
  return (
    <search class="search">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const field = document.getElementById(ID);
          if (field instanceof HTMLInputElement) void search(field);
        }}
      >
        <input
          id={ID}
          class="input"
          type="text"
          inputMode="search"
          aria-label="Find by id or idempotency key"
          placeholder="Id or key"
          autocomplete="off"
          spellcheck={false}
          maxLength={255}
          onInput={() => (said.value = "")}
          onKeyDown={(event) => {
            if (event.key === "Escape") event.currentTarget.blur();
          }}
          onBlur={() => (said.value = "")}
        />
        <kbd>/</kbd>
        <p role="status">{said.value}</p>
      </form>
    </search>
  );
}
