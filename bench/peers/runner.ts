// Runs a peer's jobs: each is one POST to its url; those without one are only counted, and the counts told to the parent.
// runner.ts <peer> <store> <concurrency>

import { adapterOf } from "./adapter-of.ts";

const [name = "", store = "", concurrency = ""] = process.argv.slice(2);
let handled = 0;

await (await adapterOf(name)).work(store, Number(concurrency), async ({ id, due, url }) => {
  handled++;
  if (url === "") return;
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ id, due }),
  });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`the receiver answered ${answer.status}`);
});
process.send?.("ready");
process.on("message", () => process.send?.({ handled }));
for (const event of ["SIGTERM", "disconnect"]) process.on(event, () => process.exit(0));
