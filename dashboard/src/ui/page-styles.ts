// What holds for the whole page: tokens first, then elements, then what several screens use without a component.

import { adopt } from "./adopt.ts";
import base from "./base.css?inline";
import table from "./table.css?inline";
import tokens from "./tokens.css?inline";

for (const css of [tokens, base, table]) adopt(css);
