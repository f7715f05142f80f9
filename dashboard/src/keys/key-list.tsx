// The keys that work here, in a dialog.

import { adopt } from "../ui/adopt.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Check } from "../ui/field.tsx";
import { bindingsNow } from "./bindings.ts";
import css from "./key-list.css?inline";
import { areKeysOn, switchKeys } from "./listen.ts";

adopt(css);

export const KeyList = ({ onClose }: { onClose: () => void }) => (
  <Dialog title="Keyboard shortcuts" onClose={onClose}>
    <dl class="key-list">
      {bindingsNow()
        .filter(({ does }) => does !== undefined)
        .map(({ keys, does }) => (
          <div key={keys + does}>
            <dt>
              {keys.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
    </dl>
    <Check label="Single keys do something" isOn={areKeysOn.value} onToggle={switchKeys} />
  </Dialog>
);
