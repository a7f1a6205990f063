/**
 * Makes `ffi/records.gen.ts` from the layout table of the C library, so that both sides read
 * records by one description. `deno task records` writes the file; a test compares it.
 *
 * @module
 */

const ROOT = new URL("..", import.meta.url).pathname;

interface Field {
  readonly type: "u8" | "u16" | "u32" | "s32" | "u64" | "text";
  readonly name: string;
  readonly count: number;
  readonly offset: number;
  readonly meaning: string;
}

interface RecordLayout {
  readonly name: string;
  readonly size: number;
  readonly meaning: string;
  readonly fields: Field[];
}

interface Constant {
  readonly group: string;
  readonly name: string;
  readonly value: number;
  readonly meaning: string;
}

type Entry =
  | { readonly record: RecordLayout }
  | { readonly field: Field; readonly owner: RecordLayout }
  | { readonly constant: Constant };

const SIZES = { u8: 1, u16: 2, u32: 4, s32: 4, u64: 8, text: 1 } as const;
const TEXT_BYTES = 16;

const LINE =
  /^(?:#include "(?<file>[^"]+)"|(?<macro>RECORD|FIELD|VALUE)\((?<args>[^"]*), "(?<meaning>[^"]*)"\))$/;

/** Reads the table and what it includes, in order. */
async function readTable(path: string): Promise<Entry[]> {
  const text = (await Deno.readTextFile(path)).replace(/\/\*.*?\*\//gs, "");
  const entries: Entry[] = [];
  let owner: RecordLayout | undefined;
  for (const line of text.split("\n").map((line) => line.trim()).filter((line) => line !== "")) {
    const groups = LINE.exec(line)?.groups;
    if (groups === undefined) throw new SyntaxError(`${path}: cannot read: ${line}`);
    const { file, macro, meaning = "" } = groups;
    if (file !== undefined) {
      entries.push(...await readTable(new URL(file, `file://${path}`).pathname));
      continue;
    }
    const args = (groups["args"] ?? "").split(",").map((arg) => arg.trim());
    if (macro === "RECORD") {
      owner = { name: textAt(args, 0), size: numberAt(args, 1), meaning, fields: [] };
      entries.push({ record: owner });
    } else if (macro === "VALUE") {
      const [group, name, value] = [textAt(args, 0), textAt(args, 1), numberAt(args, 2)];
      entries.push({ constant: { group, name, value, meaning } });
    } else {
      if (owner === undefined || owner.name !== args[0]) {
        throw new SyntaxError(`${path}: field of another record: ${line}`);
      }
      const field = readField(args, meaning);
      owner.fields.push(field);
      entries.push({ field, owner });
    }
  }
  return entries;
}

function readField(args: readonly string[], meaning: string): Field {
  const type = textAt(args, 1);
  if (!isType(type)) throw new SyntaxError(`There is no type ${type}`);
  const field = {
    type,
    name: textAt(args, 2),
    count: numberAt(args, 3),
    offset: numberAt(args, 4),
  };
  if (field.offset % SIZES[type] !== 0) throw new SyntaxError(`${field.name} is not aligned`);
  if (type === "text" && (field.count !== TEXT_BYTES || field.offset % 4 !== 0)) {
    throw new SyntaxError(`${field.name} is no text of ${TEXT_BYTES} aligned bytes`);
  }
  if (field.count !== 1 && type !== "text" && type !== "u8") {
    throw new SyntaxError(`${field.name}: only bytes come in numbers`);
  }
  return { ...field, meaning };
}

function isType(text: string): text is Field["type"] {
  return Object.hasOwn(SIZES, text);
}

function textAt(args: readonly string[], at: number): string {
  const text = args[at];
  if (text === undefined || text === "") throw new SyntaxError(`Argument ${at + 1} is missing`);
  return text;
}

function numberAt(args: readonly string[], at: number): number {
  const number = Number(textAt(args, at));
  if (!Number.isSafeInteger(number)) throw new SyntaxError(`Argument ${at + 1} is no number`);
  return number;
}

/** `ps_link_stats` → `LinkStats`. */
function typeName(name: string): string {
  return name.replace(/^ps/, "").replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** `ps_link_stats` → `LINK_STATS`. */
function constantName(name: string): string {
  return name.replace(/^ps_/, "").toUpperCase();
}

/** `mac_size` → `macSize`. */
function fieldName(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** Whether a field is read from the words and not from the bytes. */
function isWord(field: Field): boolean {
  return SIZES[field.type] >= 4 || field.type === "text";
}

function shape(field: Field): string {
  if (field.type === "text") return "Text";
  return field.count > 1 ? "Uint8Array" : "number";
}

function reader(record: RecordLayout, field: Field): string {
  const word = `words[${plus("word", field.offset / 4)}] ?? 0`;
  const byte = plus("byte", field.offset);
  switch (field.type) {
    case "u32":
      return word;
    case "s32":
      return `(${word}) | 0`;
    case "u64":
      return `(words[word + ${field.offset / 4 + 1}] ?? 0) * 2 ** 32 + (${word})`;
    case "u16":
      return `(bytes[${byte}] ?? 0) | (bytes[${byte} + 1] ?? 0) << 8`;
    case "text": {
      const size = sizeOf(record, field);
      return `texts.read(words, bytes, word + ${field.offset / 4}, bytes[byte + ${size}] ?? 0)`;
    }
    case "u8": {
      if (field.count === 1) return `bytes[${byte}] ?? 0`;
      const size = sizeOf(record, field);
      return `bytes.slice(${byte}, ${byte} + (bytes[byte + ${size}] ?? 0))`;
    }
  }
}

function plus(start: string, offset: number): string {
  return offset === 0 ? start : `${start} + ${offset}`;
}

function sizeOf(record: RecordLayout, field: Field): number {
  const size = record.fields.find(({ name }) => name === `${field.name}_size`);
  if (size?.type !== "u8") throw new SyntaxError(`${field.name} needs a field ${field.name}_size`);
  return size.offset;
}

function printRecord(record: RecordLayout): string[] {
  const name = typeName(record.name);
  const fields = record.fields.filter(({ name }) => name !== "reserved");
  const constant = constantName(record.name);
  const onlyWords = fields.every((field) => isWord(field) && field.type !== "text");
  const view = onlyWords ? "{ words }" : "{ words, bytes }";
  const texts = fields.some(({ type }) => type === "text") ? ", texts: Texts" : "";
  return [
    `/** ${record.meaning}. */`,
    `export interface ${name} {`,
    ...fields.flatMap((field) => [
      `  /** ${field.meaning}. */`,
      `  readonly ${fieldName(field.name)}: ${shape(field)};`,
    ]),
    "}",
    "",
    `/** Bytes of one \`${record.name}\`. */`,
    `export const ${constant}_BYTES = ${record.size};`,
    `/** Words of four bytes of one \`${record.name}\`. */`,
    `export const ${constant}_WORDS = ${record.size / 4};`,
    `/** Which word of a \`${record.name}\` a field begins at. */`,
    `export const ${constant}_WORD = {`,
    ...fields.filter(isWord).map(({ name, offset }) => `  ${fieldName(name)}: ${offset / 4},`),
    "} as const;",
    `/** Which byte of a \`${record.name}\` a small field begins at. */`,
    `export const ${constant}_BYTE = {`,
    ...fields.filter((field) => !isWord(field))
      .map(({ name, offset }) => `  ${fieldName(name)}: ${offset},`),
    "} as const;",
    "",
    `/** Reads the \`${record.name}\` that begins at a word of a buffer. */`,
    `export function read${name}(${view}: RecordView, word: number${texts}): ${name} {`,
    ...(onlyWords ? [] : ["  const byte = word * 4;"]),
    "  return {",
    ...fields.map((field) => `    ${fieldName(field.name)}: ${reader(record, field)},`),
    "  };",
    "}",
    "",
  ];
}

function printConstants(entries: readonly Entry[]): string[] {
  return entries.flatMap((entry) =>
    "constant" in entry
      ? [
        `/** ${entry.constant.meaning}. */`,
        `export const ${entry.constant.name} = ${entry.constant.value};`,
      ]
      : []
  );
}

function printLayout(entries: readonly Entry[]): string[] {
  const alignment = (record: RecordLayout) =>
    Math.max(...record.fields.map(({ type }) => SIZES[type]));
  const pairs = entries.map((entry) => {
    if ("constant" in entry) return `${entry.constant.value}`;
    if ("record" in entry) return `${entry.record.size}, ${alignment(entry.record)}`;
    return `${entry.field.offset}, ${SIZES[entry.field.type] * entry.field.count}`;
  });
  const words: string[] = [];
  while (pairs.length > 0) words.push(pairs.splice(0, 16).join(", "));
  return [
    "/** What `ps_layout()` of a library that fits these readers writes. */",
    "// deno-fmt-ignore",
    "export const LAYOUT: readonly number[] = [",
    ...words.map((pair) => `  ${pair},`),
    "];",
  ];
}

/** The text of `ffi/records.gen.ts`, formatted. */
export async function generateRecords(table = `${ROOT}c/records.def`): Promise<string> {
  const entries = await readTable(table);
  const abi = /#define PS_ABI (\d+)u/.exec(
    await Deno.readTextFile(`${ROOT}c/include/ps_common.h`),
  )?.[1];
  if (abi === undefined) throw new SyntaxError("ps_common.h has no PS_ABI");
  const lines = [
    "/**",
    " * Records and constants that the C library shares with us. Made by `deno task records` from",
    " * `c/records.def`; do not edit. Hosts are little-endian.",
    " *",
    " * @module",
    " */",
    'import type { RecordView, Text, Texts } from "./texts.ts";',
    "",
    "/** The library's ABI number that these readers are for. */",
    `export const ABI = ${abi};`,
    "",
    ...printConstants(entries),
    "",
    ...entries.flatMap((entry) => "record" in entry ? printRecord(entry.record) : []),
    ...printLayout(entries),
    "",
  ];
  return await format(lines.join("\n"));
}

async function format(source: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--config", `${ROOT}deno.json`, "--ext", "ts", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(source));
  await writer.close();
  const { success, stdout } = await child.output();
  if (!success) throw new Error("deno fmt could not format the records");
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) {
  await Deno.writeTextFile(`${ROOT}ffi/records.gen.ts`, await generateRecords());
}
