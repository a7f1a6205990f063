/**
 * Rows of sinks as a table.
 *
 * @module
 */
import { escapeControls } from "../core/escape.ts";
import type { RowReport } from "../runtime/protocol.ts";
import type { Paint } from "./command.ts";

/** Longer cells are cut, so that one value cannot push the others off the screen. */
const WIDEST_CELL = 40;

/** Collects rows, and lays them out by name. */
export class RowTable {
  readonly #rows = new Map<string, RowReport>();
  readonly #columns: string[] = [];
  readonly #collator = new Intl.Collator("en", { numeric: true });

  /** Takes a row in, or out when it is gone. `pipeline` keeps equal keys apart. */
  take(pipeline: string, row: RowReport): void {
    const id = `${pipeline}\0${row.table}\0${row.key}`;
    if (row.fields === undefined) {
      this.#rows.delete(id);
      return;
    }
    this.#rows.set(id, row);
    for (const name of Object.keys(row.fields)) {
      if (!this.#columns.includes(name)) this.#columns.push(name);
    }
  }

  /** All rows, by table and key; numbers inside a key count as numbers. */
  get rows(): RowReport[] {
    const { compare } = this.#collator;
    return [...this.#rows.values()].sort((a, b) =>
      compare(a.table, b.table) || compare(a.key, b.key)
    );
  }

  /**
   * The lines of the table: a heading for each table, then its rows.
   *
   * @param size how many lines and characters there is room for
   */
  lines(paint: Paint, size: { readonly rows: number; readonly columns: number }): string[] {
    const { rows } = this;
    const tables = [...new Set(rows.map(({ table }) => table))];
    const lines = tables.flatMap((table) =>
      this.#layOut(table, rows.filter((row) => row.table === table), paint, size.columns)
    );
    if (lines.length <= size.rows) return lines;
    const hidden = lines.length - size.rows + 1;
    return [...lines.slice(0, size.rows - 1), paint.dim(`… and ${hidden} more`)];
  }

  #layOut(table: string, rows: readonly RowReport[], paint: Paint, room: number): string[] {
    const names = this.#columns.filter((name) => rows.some(({ fields }) => fields?.[name]));
    const header = [table, ...names].map(cell);
    const body = rows.map(({ key, fields }) =>
      [key, ...names.map((name) => fields?.[name] ?? "")]
        .map(cell)
    );
    const widths = header.map((title, column) =>
      Math.max(title.length, ...body.map((line) => line[column]?.length ?? 0))
    );
    const shown = fitting(widths, room);
    const line = (cells: readonly string[], tint: (text: string, column: number) => string) =>
      cells.slice(0, shown).map((text, column) => tint(text.padEnd(widths[column] ?? 0), column))
        .join("  ").trimEnd();
    return [
      line(header, paint.bold),
      ...body.map((cells) => line(cells, (text) => tintOf(text, paint))),
    ];
  }
}

/** How many columns fit into so many characters; the first always does. */
function fitting(widths: readonly number[], room: number): number {
  let used = 0;
  for (const [index, width] of widths.entries()) {
    used += width + 2;
    if (used - 2 > room && index > 0) return index;
  }
  return widths.length;
}

function tintOf(text: string, paint: Paint): string {
  const word = text.trim();
  if (word === "up") return paint.green(text);
  return word === "down" ? paint.dim(text) : text;
}

function cell(text: string): string {
  const safe = escapeControls(text);
  return safe.length > WIDEST_CELL ? safe.slice(0, WIDEST_CELL - 1) + "…" : safe;
}

/** One row as one line, for pipes and files. */
export function rowLine({ table, key, fields }: RowReport): string {
  const values = Object.entries(fields ?? {}).map(([name, value]) => `${name}=${value}`);
  const state = fields === undefined ? "gone" : values.join(" ");
  return escapeControls(`${table} ${key} ${state}`);
}
