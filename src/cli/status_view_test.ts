import assert from "node:assert/strict";
import { duration, numberLines, readStatus } from "./status_view.ts";

Deno.test("readStatus() reads what a service says and survives what it does not", () => {
  const view = readStatus({
    file: "/etc/p.yaml",
    pid: 1,
    since: 5,
    pipelines: [{ name: "a", state: "running", pid: 2, restarts: 1, since: 6, last_error: "x" }, 7],
  });
  assert.equal(view.pipelines[0]?.lastError, "x");
  assert.equal(view.pipelines[1]?.name, "?");
  assert.deepEqual(readStatus(undefined).pipelines, []);
});

Deno.test("numberLines() prints the numbers that are not zero", () => {
  const numbers = { "source.netlink": { events: 3, lost: 0 }, "sink.state_db": { up: 0 } };
  assert.deepEqual(numberLines({ numbers }), ["source.netlink: events=3"]);
  assert.deepEqual(numberLines(undefined), []);
});

Deno.test("duration() counts as people do", () => {
  const day = 86_400_000;
  assert.deepEqual(
    [0, 119_000, 121_000, 7_300_000, 3 * day].map((ms) => duration(0, ms)),
    ["0 s", "119 s", "2 min", "2 h", "3 days"],
  );
});
