// Runs a drop with the client that was generated for TypeScript: run_drop.js <address> <token>.

import { client } from "./client/client.gen.js";
import { closeDrop, dropReport, dropState, openDrop, planDrop, restockDrop, type Plan } from "./client/index.js";

declare const process: { argv: string[] };

function must(holds: boolean, what: unknown): asserts holds {
  if (!holds) throw new Error(JSON.stringify(what));
}

const [, , baseUrl, auth] = process.argv;
must(baseUrl !== undefined && auth !== undefined, "usage: run_drop.js <address> <token>");
client.setConfig({ baseUrl, auth });

const key = (name: string) => ({ "Idempotency-Key": `typescript-${name}` });
const plan: Plan = {
  stream: "typescript-show",
  title: "Mug",
  merchant: "potter",
  host: "nina",
  limit_per_viewer: 2,
  hold_ttl_ms: 120_000,
  countdown_ms: 0,
  skus: [{ id: "mug", title: "Mug", supply: 50, price: { minor: 1_500, currency: "EUR" } }],
};
const throwOnError = true;
const planned = await planDrop({ headers: key("plan"), body: plan, throwOnError });
const { drop } = planned.data;
must(drop !== undefined, planned.data);
const path = { drop };
// The body is left out.
await openDrop({ path, headers: key("open"), throwOnError });
const read = async () => (await dropState({ path, throwOnError })).data;
while ((await read()).phase !== "open") {
  await new Promise<void>((done) => setTimeout(done, 10));
}
const lot = await restockDrop({ path, headers: key("lot"), body: { sku: "mug", units: 25 }, throwOnError });
must(lot.data.lot === 2, lot.data);
const state = await read();
must(state.skus[0]?.supplied === 75 && state.plan.title === "Mug", state);
const closed = await closeDrop({ path, headers: key("close"), body: { reason: "the end" }, throwOnError });
must(closed.data.action === "close", closed.data);
const refused = await openDrop({ path, headers: key("open-again") });
must(refused.error?.code === "wrong_phase", refused.error);
const report = (await dropReport({ path, throwOnError })).data;
must(report.supplied === 75 && report.gross_minor === 0, report);
console.log("a drop was run");
