/**
 * What a control socket answers, read with care and put into words.
 *
 * @module
 */

/** A service as `status` prints it. */
export interface StatusView {
  /** The spec's file. */
  readonly file: string;
  /** The process that was asked. */
  readonly pid: number;
  /** When it started, milliseconds since the epoch. */
  readonly since: number;
  /** In the order of the spec. */
  readonly pipelines: readonly PipelineView[];
}

/** A pipeline as `status` prints it. */
export interface PipelineView {
  /** As in the spec. */
  readonly name: string;
  /** Where it stands, in one word. */
  readonly state: string;
  /** Its process, where it has one. */
  readonly pid: number | undefined;
  /** How often it was started again. */
  readonly restarts: number;
  /** When the state began, milliseconds since the epoch. */
  readonly since: number;
  /** Why the last process ended. */
  readonly lastError: string | undefined;
  /** What its process says of itself. */
  readonly report: unknown;
}

/** Reads an answer; what is missing or of another kind is left out. */
export function readStatus(value: unknown): StatusView {
  const service = entries(value);
  const list: unknown = service.get("pipelines");
  return {
    file: text(service.get("file")) ?? "?",
    pid: number(service.get("pid")) ?? 0,
    since: number(service.get("since")) ?? Date.now(),
    pipelines: (Array.isArray(list) ? list : []).map(entries).map((pipeline) => ({
      name: text(pipeline.get("name")) ?? "?",
      state: text(pipeline.get("state")) ?? "?",
      pid: number(pipeline.get("pid")),
      restarts: number(pipeline.get("restarts")) ?? 0,
      since: number(pipeline.get("since")) ?? Date.now(),
      lastError: text(pipeline.get("last_error")),
      report: pipeline.get("report"),
    })),
  };
}

/** The numbers of a pipeline that are not zero, a line for each component. */
export function numberLines(report: unknown): string[] {
  const components = entries(entries(report).get("numbers"));
  return [...components].flatMap(([component, numbers]) => {
    const shown = [...entries(numbers)].filter(([, value]) => value !== 0)
      .map(([name, value]) => `${name}=${value}`);
    return shown.length === 0 ? [] : [`${component}: ${shown.join(" ")}`];
  });
}

/** The time since then, as people say it: `4 s`, `12 min`, `3 h`, `8 days`. */
export function duration(since: number, now: number = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - since) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

function entries(value: unknown): Map<string, unknown> {
  return new Map(typeof value === "object" && value !== null ? Object.entries(value) : []);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
