/**
 * portsync: declarative pipelines between a switch's kernel and its databases.
 *
 * Run as a program it is the command line; imported, it gives the contracts that components and
 * custom transforms are written against. The clients, servers and producers of netipc are a module
 * of their own, `src/netipc/mod.ts`: here they would cost every command 5 MiB and 12 ms.
 *
 * @module
 */
export type { Batch, Change, Fields, Mark, Receipt } from "./src/core/change.ts";
export type {
  ComponentConfig,
  Context,
  Definition,
  Grant,
  GrantPart,
  ModuleTransform,
} from "./src/core/component.ts";
export type {
  ConnectionEvents,
  Operation,
  Outcome,
  Row,
  Source,
  Stage,
  StateSink,
} from "./src/core/stage.ts";
export {
  ExitCode,
  isRetriable,
  ReconnectError,
  RejectError,
  RetryLaterError,
  StopError,
} from "./src/core/errors.ts";

if (import.meta.main) {
  const { runProgram } = await import("./src/cli/main.ts");
  await runProgram();
}
