// The menu in the corner: whose clock, the session, and the way out.

import { useRef } from "preact/hooks";
import { type Session, signOut } from "../api/session.ts";
import { ActionButton, Button } from "../ui/button.tsx";
import { Exact } from "../ui/time.tsx";
import { setZone, zone } from "../ui/zone.ts";
import { SERVICE } from "./base.ts";

interface MenuProps {
  readonly session: Session;
  readonly onKeys: () => void;
}

export function Menu({ session, onKeys }: MenuProps) {
  const popover = useRef<HTMLDivElement>(null);
  const other = zone.value === "utc" ? "local" : "utc";
  return (
    <div class="row menu">
      <Button small look="plain" title="Whose clock the times are of" onClick={() => setZone(other)}>
        {zone.value === "utc" ? "UTC" : "Local"}
      </Button>
      <button type="button" class="button plain small" popovertarget="menu" aria-label="Menu">
        ⋯
      </button>
      <div id="menu" popover="auto" ref={popover}>
        <div class="stack">
          <p class="quiet">
            Account <b>{session.account_name}</b>
            <br />
            {session.read_only ? "Read only" : `Scope: ${session.scope}`}, until <Exact at={session.expires_at} />
          </p>
          <Button
            look="plain"
            onClick={() => {
              popover.current?.hidePopover();
              onKeys();
            }}
          >
            Keyboard shortcuts
          </Button>
          <a class="button plain" href={`${SERVICE}/docs`} target="_blank" rel="noreferrer">
            Reference of the API
          </a>
          <ActionButton look="plain" action={signOut}>
            Sign out
          </ActionButton>
        </div>
      </div>
    </div>
  );
}
