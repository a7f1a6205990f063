/**
 * What a benchmark found out: each figure with its goal and its ceiling, as a table for people, as
 * CSV and as a page.
 *
 * @module
 */

/** One answer. */
export interface Figure {
  /** The question in a few words, for example `queued burst, MTU`. */
  readonly what: string;
  /** `events/s`, `ms`, `MiB`, `CPU s`. */
  readonly unit: string;
  /** One value for each run. */
  readonly values: readonly number[];
  /** What it should be. */
  readonly goal?: { readonly atLeast: number } | { readonly atMost: number };
  /** The best that anything could reach here, measured in the same run, and what that was. */
  readonly ceiling?: { readonly value: number; readonly of: string };
  /** A remark for the reader. */
  readonly note?: string;
}

/** The middle of several values; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** Whether the goal is reached by the median; undefined where there is none. */
export function isMet({ goal, values }: Figure): boolean | undefined {
  if (goal === undefined) return undefined;
  return "atLeast" in goal ? median(values) >= goal.atLeast : median(values) <= goal.atMost;
}

/** A number with as many digits as it deserves. */
export function show(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}

function cells(figure: Figure): string[] {
  const { what, unit, values, goal, ceiling, note } = figure;
  const met = isMet(figure);
  const spread = values.length > 1
    ? ` (${show(Math.min(...values))}–${show(Math.max(...values))})`
    : "";
  return [
    what,
    unit,
    `${show(median(values))}${spread}`,
    goal === undefined
      ? ""
      : "atLeast" in goal
      ? `≥ ${show(goal.atLeast)}`
      : `≤ ${show(goal.atMost)}`,
    met === undefined ? "" : met ? "yes" : "no",
    ceiling === undefined ? "" : `${show(ceiling.value)} ${ceiling.of}`,
    note ?? "",
  ];
}

const HEAD = ["question", "unit", "median (range)", "goal", "met", "ceiling", "remark"];

/** A table for a terminal. */
export function asText(figures: readonly Figure[]): string {
  const rows = [HEAD, ...figures.map(cells)];
  const widths = HEAD.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  ").trimEnd())
    .join("\n");
}

/** A table for a page. */
export function asMarkdown(figures: readonly Figure[]): string {
  const rows = figures.map(cells);
  return [HEAD, HEAD.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** One line for each figure, every run's value in the last column. */
export function asCsv(figures: readonly Figure[]): string {
  const quote = (text: string) => /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const lines = figures.map((figure) => {
    const { what, unit, values, goal, ceiling } = figure;
    const bound = goal === undefined ? "" : "atLeast" in goal ? goal.atLeast : goal.atMost;
    return [
      what,
      unit,
      median(values),
      bound,
      isMet(figure) ?? "",
      ceiling?.value ?? "",
      ceiling?.of ?? "",
      values.join(" "),
    ].map((cell) => quote(String(cell))).join(",");
  });
  return ["question,unit,median,goal,met,ceiling,ceiling_of,values", ...lines].join("\n") + "\n";
}

/** What the figures were measured on, without a name or a place. */
export async function machineFacts(): Promise<string[]> {
  const cpu = /^model name\s*:\s*(.+)$/m.exec(await Deno.readTextFile("/proc/cpuinfo"))?.[1];
  const [kernel] = (await Deno.readTextFile("/proc/sys/kernel/osrelease")).split("-");
  const [load] = (await Deno.readTextFile("/proc/loadavg")).split(" ");
  const redis = new TextDecoder().decode(
    (await new Deno.Command("redis-server", { args: ["--version"] }).output()).stdout,
  );
  return [
    `${navigator.hardwareConcurrency} cores of ${cpu ?? "an unnamed processor"}`,
    `Linux ${kernel}, ${Deno.build.arch}`,
    `Deno ${Deno.version.deno}, V8 ${Deno.version.v8}`,
    `Redis ${/v=(\S+)/.exec(redis)?.[1] ?? "of an unknown version"}`,
    `load average when it began: ${load}`,
  ];
}
