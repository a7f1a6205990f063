import assert from "node:assert/strict";
import { RecordedTelemetry } from "../../tests/support/telemetry.ts";
import { Keeper, type KeptProcess } from "./keeper.ts";
import type { ProcessEnding, ProcessListeners } from "./process.ts";
import type { Question } from "./protocol.ts";

/** A process that does what the test says. */
class FakeProcess implements KeptProcess {
  readonly pid = 4711;
  readonly ended: Promise<ProcessEnding>;
  readonly stops: number[] = [];
  lastHeard = performance.now();
  readonly listeners: ProcessListeners;
  readonly #end: (ending: ProcessEnding) => void;

  constructor(listeners: ProcessListeners) {
    this.listeners = listeners;
    const { promise, resolve } = Promise.withResolvers<ProcessEnding>();
    this.ended = promise;
    this.#end = resolve;
  }

  end(code: number, error?: string): void {
    this.#end({ code, signal: null, error });
  }

  stop(withinMs: number): void {
    this.stops.push(withinMs);
  }

  kill(): void {
    this.#end({ code: 137, signal: "SIGKILL", error: undefined });
  }

  ask(question: Question): Promise<unknown> {
    return Promise.resolve({ asked: question.what });
  }
}

function keep(alone = true) {
  const telemetry = new RecordedTelemetry();
  const processes: FakeProcess[] = [];
  const keeper = new Keeper({
    name: "p",
    alone,
    log: telemetry.log,
    listeners: { onLog: () => {}, onRows: () => {} },
    spawn: (listeners) => {
      const process = new FakeProcess(listeners);
      processes.push(process);
      return process;
    },
  });
  const running = keeper.run();
  const process = () => {
    const last = processes.at(-1);
    assert.ok(last !== undefined);
    return last;
  };
  return { keeper, running, processes, process, telemetry };
}

/** The next turn after promises and short waits. */
function soon(ms = 0): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

Deno.test("Keeper tells where its pipeline stands", async () => {
  const { keeper, running, process } = keep();
  assert.equal((await keeper.status()).state, "starting");
  process().listeners.onRunning();
  const status = await keeper.status();
  assert.deepEqual(status.report, { asked: "status" });
  assert.deepEqual([status.state, status.pid, status.restarts], ["running", 4711, 0]);
  process().end(0);
  assert.equal(await running, 0);
  assert.equal((await keeper.status()).state, "finished");
  await assert.rejects(() => keeper.ask({ what: "status" }), /has no process now: it is finished/);
});

Deno.test("Keeper starts a process again and remembers why the last one ended", async () => {
  const { keeper, running, processes, process, telemetry } = keep();
  process().end(70, "a fault");
  await soon();
  assert.equal((await keeper.status()).state, "waiting");
  assert.deepEqual(telemetry.messages("error"), [
    "Pipeline p ended and is started again in 0.1 s: a fault",
  ]);
  while (processes.length < 2) await soon(10);
  const { restarts, last_error } = await keeper.status();
  assert.deepEqual([restarts, last_error], [1, "a fault"]);
  process().end(0);
  await running;
});

Deno.test("Keeper gives up a pipeline that cannot run, if there is no other", async () => {
  const { keeper, running, process } = keep();
  process().end(78, "the table is missing");
  assert.equal(await running, 78);
  assert.equal((await keeper.status()).state, "failed");
});

Deno.test("Keeper goes on beside others, and stop() ends its long pause", async () => {
  const { keeper, running, process } = keep(false);
  process().end(69, "no password");
  await soon();
  assert.equal((await keeper.status()).state, "waiting");
  await keeper.stop(performance.now() + 1000);
  assert.equal(await running, 0);
});

Deno.test("Keeper kills a process that has said nothing for long, and only that one", async () => {
  const { keeper, running, processes, process, telemetry } = keep();
  keeper.checkPulse();
  assert.deepEqual(telemetry.messages("error"), []);
  process().lastHeard = performance.now() - 30_000;
  keeper.checkPulse();
  while (processes.length < 2) await soon(10);
  assert.match(telemetry.messages("error")[0] ?? "", /said nothing for 30 s and is killed/);
  process().end(0);
  await running;
});

Deno.test("Keeper stops its process in order, and by force at the deadline", async () => {
  const orderly = keep();
  const stopped = orderly.keeper.stop(performance.now() + 1000);
  orderly.process().end(0);
  await stopped;
  assert.equal(await orderly.running, 0);
  assert.equal(orderly.process().stops.length, 1);
  assert.deepEqual(orderly.telemetry.messages("warn"), []);

  const hanging = keep();
  await hanging.keeper.stop(performance.now());
  assert.equal(await hanging.running, 0);
  assert.deepEqual(hanging.telemetry.messages("warn"), [
    "Pipeline p did not stop in time and was killed",
  ]);
});
