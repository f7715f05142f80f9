// The account's own things, and how this browser shows them.

import { mayChange } from "../../api/session.ts";
import { adopt } from "../../ui/adopt.ts";
import { Segments } from "../../ui/segments.tsx";
import { setTheme, theme } from "../../ui/theme.ts";
import { setZone, zone } from "../../ui/zone.ts";
import { Keys } from "./keys.tsx";
import { Secret } from "./secret.tsx";
import css from "./settings.css?inline";
import { Webhooks } from "./webhooks.tsx";

adopt(css);

export const Settings = () => (
  <div class="settings stack">
    <h1>Settings</h1>
    <Keys />
    {mayChange.value && <Secret />}
    <Webhooks />
    <Preferences />
  </div>
);

const Preferences = () => (
  <section class="panel" aria-labelledby="preferences">
    <header>
      <h2 id="preferences">This browser</h2>
    </header>
    <dl class="facts inside preferences">
      <dt>Colours</dt>
      <dd>
        <Segments
          label="Colours"
          value={theme.value}
          onValue={setTheme}
          choices={[
            { value: "system", label: "As the system" },
            { value: "light", label: "Light" },
            { value: "dark", label: "Dark" },
          ]}
        />
      </dd>
      <dt>Times</dt>
      <dd>
        <Segments
          label="Times"
          value={zone.value}
          onValue={setZone}
          choices={[
            { value: "utc", label: "UTC" },
            { value: "local", label: "Local time" },
          ]}
        />
      </dd>
    </dl>
  </section>
);
