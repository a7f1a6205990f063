/**
 * The log of a command that runs pipelines.
 *
 * @module
 */
import type { Logger } from "../core/telemetry.ts";
import type { Tint } from "../observe/format.ts";
import { RecordLogger } from "../observe/logger.ts";
import type { LogRecord } from "../observe/record.ts";
import type { ServicePlan } from "../spec/plan.ts";
import type { Output, Paint } from "./command.ts";

/**
 * A log that can be written to before it is open. LogTape takes a few milliseconds to load, in
 * which the pipelines can start.
 */
export class ServiceLog {
  /** For this process's own lines. */
  readonly logger: Logger;
  #early: LogRecord[] = [];
  #write: ((record: LogRecord) => void) | undefined;

  /** Lines below `level` are left out. */
  constructor(level: ServicePlan["log_level"]) {
    this.logger = new RecordLogger({ level, emit: (record) => this.write(record) });
  }

  /** Prints a record, or keeps it until the log is open. */
  write(record: LogRecord): void {
    if (this.#write === undefined) this.#early.push(record);
    else this.#write(record);
  }

  /** Opens the log as the service wants it. */
  async open(service: ServicePlan, error: Output, print: (line: string) => void): Promise<void> {
    const { openLog } = await import("../observe/log.ts");
    const { write } = openLog({
      level: service.log_level,
      format: service.log_format,
      write: print,
      tint: tintFor(error.paint),
    });
    this.#write = write;
    for (const record of this.#early.splice(0)) write(record);
  }
}

function tintFor({ dim, red, yellow, green, cyan }: Paint): Tint {
  const paints = { dim, debug: cyan, info: green, warn: yellow, error: red };
  return (name, text) => paints[name](text);
}
