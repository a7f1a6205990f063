/**
 * The oracle: what STATE_DB must hold, read from the kernel without any code of the product, and
 * what it does hold.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Netns } from "./netns.ts";
import type { RedisServer } from "./redis.ts";

/** The fields of one row. */
export type RowFields = Readonly<Record<string, string>>;

/** Rows by key without the table's name. */
export type Table = ReadonlyMap<string, RowFields>;

/** The database number that every SONiC gives STATE_DB. */
export const STATE_DB = 6;

/** The fields of a row that are portsyncd's. */
export const OUR_FIELDS = ["state", "netdev_oper_status", "admin_status", "mtu"] as const;

/** Names that portsyncd follows. */
const FOLLOWED = /^(?:Ethernet|PortChannel)[^.]*$/;

/** Names that no table may hold: separators, control characters, the marks of broken UTF-8. */
// deno-lint-ignore no-control-regex -- control characters are what this looks for
const UNFIT = /[|\u0000-\u0020\u007f-\u009f\ufffd]/;

/**
 * The rows that portsyncd's rule gives for the links of a namespace, as `ip` tells them.
 *
 * @param followed which names count; those with a separator, a control character or broken UTF-8
 * never do
 */
export async function kernelTable(netns: Netns, followed: RegExp = FOLLOWED): Promise<Table> {
  const { success, stdout, stderr } = await new Deno.Command("ip", {
    args: ["-n", netns.name, "-j", "-d", "link"],
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`ip link: ${new TextDecoder().decode(stderr)}`);
  const table = new Map<string, RowFields>();
  for (const link of readLinks(stdout)) {
    if (!followed.test(link.name) || UNFIT.test(link.name) || link.kind === "team") continue;
    const up = link.flags.includes("UP");
    table.set(link.name, {
      state: "ok",
      // `ip` has no word for IFF_RUNNING: an interface that is up and not running has NO-CARRIER.
      netdev_oper_status: up && !link.flags.includes("NO-CARRIER") ? "up" : "down",
      admin_status: up ? "up" : "down",
      mtu: String(link.mtu),
    });
  }
  return table;
}

interface Link {
  readonly name: string;
  readonly flags: readonly unknown[];
  readonly mtu: number;
  readonly kind: string;
}

function readLinks(json: Uint8Array): Link[] {
  // `ip` puts the bytes of a name into its JSON as they are, escapes and broken UTF-8 too.
  const escape = (code: string) => `\\u${code.charCodeAt(0).toString(16).padStart(4, "0")}`;
  // deno-lint-ignore no-control-regex -- control characters are what this looks for
  const text = new TextDecoder().decode(json).trim().replace(/[\u0000-\u001f]/g, escape);
  const links: unknown = JSON.parse(text === "" ? "[]" : text);
  if (!Array.isArray(links)) throw new Error("ip link gave no list");
  // Without any link `ip` prints one empty object.
  return links.filter((link) => "ifname" in Object(link)).map((link: Record<string, unknown>) => ({
    name: String(link["ifname"]),
    flags: Array.isArray(link["flags"]) ? link["flags"] : [],
    mtu: Number(link["mtu"]),
    kind: String(Object(link["linkinfo"])["info_kind"]),
  }));
}

const ALL_ROWS = `local rows = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do
  if redis.call('TYPE', key).ok == 'hash' then rows[key] = redis.call('HGETALL', key) end
end
return cjson.encode(rows)`;

/** The rows that a Redis holds, read in one moment. */
export async function stateTable(
  redis: RedisServer,
  prefix = "PORT_TABLE|",
  database = STATE_DB,
): Promise<Table> {
  const json = await redis.cli("-n", String(database), "EVAL", ALL_ROWS, "0", prefix);
  const rows: Record<string, unknown> = Object(JSON.parse(json));
  const table = new Map<string, RowFields>();
  for (const [key, list] of Object.entries(rows)) {
    if (!Array.isArray(list)) continue;
    const fields: Record<string, string> = {};
    for (let at = 0; at + 1 < list.length; at += 2) fields[String(list[at])] = String(list[at + 1]);
    table.set(key.slice(prefix.length), fields);
  }
  return table;
}

/** The rows that an embedded store holds; none while there is no file. */
export function embeddedTable(file: string, name = "PORT_TABLE"): Table {
  const table = new Map<string, Record<string, string>>();
  if (!existsSync(file)) return table;
  using database = new DatabaseSync(file, { readOnly: true, timeout: 1000 });
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE name = 'fields'").all();
  if (tables.length === 0) return table;
  const fields = database.prepare("SELECT key, field, value FROM fields WHERE tbl = ?").all(name);
  for (const { key, field, value } of fields) {
    const row = table.get(String(key)) ?? {};
    row[String(field)] = String(value);
    table.set(String(key), row);
  }
  return table;
}

/**
 * What is wrong with a table, one line for each row, none when it is right. Of each row only our
 * own fields count.
 *
 * @param foreign keys of rows that others own
 */
export function differences(
  expected: Table,
  actual: Table,
  foreign: ReadonlySet<string> = new Set(),
): string[] {
  const lines: string[] = [];
  for (const [key, fields] of expected) {
    const row = actual.get(key);
    if (row === undefined) {
      lines.push(`${key}: missing, should be ${show(fields)}`);
      continue;
    }
    const wrong = OUR_FIELDS.filter((name) => row[name] !== fields[name]);
    if (wrong.length > 0) {
      lines.push(
        `${key}: ` + wrong.map((name) => {
          return `${name} is ${row[name]}, should be ${fields[name]}`;
        }).join(", "),
      );
    }
  }
  for (const [key, fields] of actual) {
    if (!expected.has(key) && !foreign.has(key)) {
      lines.push(`${key}: should not be there: ${show(fields)}`);
    }
  }
  return lines;
}

function show(fields: RowFields): string {
  return Object.entries(fields).map(([name, value]) => `${name}=${value}`).join(" ");
}
