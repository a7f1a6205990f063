import { Lockstep } from "./ksync_lockstep.ts";
import { checkHistories, wantedRuns } from "./ksync_world.ts";

Deno.test("The engine does after every event exactly what the slow and obvious model does", () => {
  checkHistories(wantedRuns(160_000), 40, (bytes, withLog) => new Lockstep(bytes, withLog));
});
