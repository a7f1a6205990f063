import assert from "node:assert/strict";
import { tablesOfPage } from "../../../tests/support/ksync_page.ts";
import { RecordedTelemetry } from "../../../tests/support/telemetry.ts";
import { Engine } from "./engine.ts";
import { publish } from "./figures.ts";
import { STATE_NAMES } from "./states.ts";

const PAGE = new URL("../../../docs/ksync.md", import.meta.url);

Deno.test("docs/ksync.md shows the transition table as it is, and names every state and metric", async () => {
  // The formatter pads cells, which says nothing.
  const plain = (text: string) => text.replace(/ +\|/g, " |").replace(/\| -+/g, "| ---");
  const page = plain(await Deno.readTextFile(PAGE));
  for (const table of tablesOfPage()) assert.ok(page.includes(plain(table)), table);
  for (const state of STATE_NAMES) assert.ok(page.includes(state), state);
  const telemetry = new RecordedTelemetry();
  publish(new Engine({ send: () => true }), telemetry);
  for (const name of [...telemetry.counters.keys(), ...telemetry.gauges.keys()]) {
    assert.ok(page.includes(`\`${name}\``), name);
  }
  assert.equal(telemetry.gauges.get("ksync_dump_overdue")?.(), 0);
});
