import { Chaos } from "./ksync_chaos.ts";
import { checkHistories, wantedRuns } from "./ksync_world.ts";

Deno.test("Whatever happens, the engine keeps its invariants, comes to rest and leaves nothing", () => {
  checkHistories(wantedRuns(60_000), 40, (bytes, withLog) => new Chaos(bytes, withLog));
});
