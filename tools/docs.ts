/**
 * The reference page of the components, from their definitions and schemas.
 *
 * @module
 */
import * as z from "zod";
import type { Definition } from "../src/core/component.ts";
import {
  pipelineSchema,
  sinkSchema,
  sourceSchema,
  specSchema,
  transformSchema,
} from "../schemas/pipeline.ts";
import { findDefinition } from "../src/cli/load_plan.ts";

/** Any schema. */
type Schema = z.core.$ZodType;

/** One kind of component. */
interface Kind {
  readonly kind: Definition["kind"];
  readonly title: string;
  readonly schema: { readonly options: readonly Schema[] };
}

const KINDS: readonly Kind[] = [
  { kind: "source", title: "Sources", schema: sourceSchema },
  { kind: "transform", title: "Transforms", schema: transformSchema },
  { kind: "sink", title: "Sinks", schema: sinkSchema },
];

/** One option of a mapping. */
interface Option {
  readonly name: string;
  readonly type: string;
  /** As it is written, or `required` or nothing. */
  readonly preset: string;
  readonly description: string;
}

/** The whole page. */
export async function componentsPage(): Promise<string> {
  const lines = [
    "<!-- Made by `deno task schemas` from schemas/ and the definitions; do not edit. -->",
    "",
    "# Components",
    "",
    "Every option of a spec. How a spec is built as a whole is in [spec.md](spec.md).",
    "",
    "## The spec",
    "",
    ...table(optionsOf(specSchema)),
    "## A pipeline",
    "",
    ...table(optionsOf(pipelineSchema)),
    "## The service",
    "",
    ...table(optionsOf(plain(specSchema.shape.service))),
  ];
  for (const { kind, title, schema } of KINDS) {
    lines.push(`## ${title}`, "");
    for (const option of schema.options) {
      lines.push(...component(await findDefinition(kind, typeOf(option)), option));
    }
  }
  return lines.join("\n").trimEnd() + "\n";
}

function component({ type, summary, keeps, examples }: Definition, schema: Schema): string[] {
  const lines = [`### ${type}`, "", summary, ""];
  if (keeps === "state") lines.push("A state sink: it is driven by [ksync](#ksync).", "");
  if (keeps === "events") lines.push("An event sink: it keeps every change, in order.", "");
  lines.push(...table(optionsOf(schema).filter(({ name }) => name !== "type")));
  for (const { title, config } of examples) {
    lines.push(`${title}:`, "", "```yaml", ...yamlLines(config), "```", "");
  }
  return lines;
}

function table(options: readonly Option[]): string[] {
  if (options.length === 0) return ["It has no options.", ""];
  const rows = options.map(({ name, type, preset, description }) => {
    return `| ${[`\`${name}\``, type, preset, description].map(cell).join(" | ")} |`;
  });
  return ["| option | type | default | meaning |", "| --- | --- | --- | --- |", ...rows, ""];
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

/**
 * The options of a mapping; those of a mapping inside stand behind it, as `retry.max_ms`, and those
 * of a list's mappings as `depends_on[].key`.
 */
function optionsOf(schema: Schema, prefix = ""): Option[] {
  const bare = plain(schema);
  if (!(bare instanceof z.ZodObject)) return [];
  return Object.entries(bare.shape).flatMap(([key, field]) => {
    const name = prefix + key;
    const inside = plain(field);
    const one = {
      name,
      type: typeWords(field),
      preset: presetOf(field),
      description: descriptionOf(field) ?? "",
    };
    if (name === "service") return [one];
    return [
      one,
      ...inside instanceof z.ZodArray
        ? optionsOf(inside.element, `${name}[].`)
        : optionsOf(inside, `${name}.`),
    ];
  });
}

function descriptionOf(schema: Schema): string | undefined {
  return z.globalRegistry.get(schema)?.description;
}

function presetOf(schema: Schema): string {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    const preset: unknown = schema.def.defaultValue;
    const text = JSON.stringify(preset);
    return text === "{}" ? "" : `\`${text}\``;
  }
  return schema instanceof z.ZodOptional ? "" : "required";
}

function plain(schema: Schema): Schema {
  let bare = schema;
  while (
    bare instanceof z.ZodOptional || bare instanceof z.ZodDefault || bare instanceof z.ZodPrefault
  ) bare = bare.unwrap();
  return bare;
}

function typeOf(schema: Schema): string {
  const type = schema instanceof z.ZodObject ? schema.shape["type"] : undefined;
  return type instanceof z.ZodLiteral ? String([...type.values][0]) : "";
}

/** A type in words, with its bounds. */
function typeWords(schema: Schema): string {
  const bare = plain(schema);
  if (bare instanceof z.ZodEnum) return bare.options.map((one) => `\`${one}\``).join(", ");
  if (bare instanceof z.ZodLiteral) return `\`${JSON.stringify([...bare.values][0])}\``;
  if (bare instanceof z.ZodNumber) return numberWords(bare);
  if (bare instanceof z.ZodString) return "text";
  if (bare instanceof z.ZodBoolean) return "true or false";
  if (bare instanceof z.ZodArray) return `list of ${itemWords(bare.element)}`;
  if (bare instanceof z.ZodDiscriminatedUnion) return "a component";
  if (bare instanceof z.ZodUnion) return bare.options.map(typeWords).join(" or ");
  return "mapping";
}

function itemWords(schema: Schema): string {
  const words = typeWords(schema);
  const plurals: Readonly<Record<string, string>> = {
    "a component": "components",
    text: "texts",
    mapping: "mappings",
  };
  return plurals[words] ?? words;
}

function numberWords(schema: z.ZodNumber): string {
  const whole = schema.isInt ? "whole number" : "number";
  const { minValue, maxValue } = schema;
  const bound = (value: number) => value.toLocaleString("en-GB");
  const [least, most] = [minValue ?? -Infinity, maxValue ?? Infinity];
  if (most === Infinity) return least === -Infinity ? whole : `${whole}, at least ${bound(least)}`;
  return `${whole}, ${bound(least)} to ${bound(most)}`;
}

/** Settings as a component stands in a list, without a library for it. */
function yamlLines(config: object): string[] {
  return mappingLines(config).map((line, index) => (index === 0 ? "- " : "  ") + line);
}

function mappingLines(mapping: object): string[] {
  return Object.entries(mapping).flatMap(([key, value]) => {
    if (typeof value !== "object" || value === null) return [`${key}: ${scalar(value)}`];
    if (!Array.isArray(value)) return [`${key}:`, ...mappingLines(value).map(indent)];
    const items: unknown[] = value;
    const mappings = items.filter((item) => typeof item === "object" && item !== null);
    if (mappings.length === 0) return [`${key}: [${items.map(scalar).join(", ")}]`];
    return [`${key}:`, ...mappings.flatMap(yamlLines).map(indent)];
  });
}

function indent(line: string): string {
  return `  ${line}`;
}

/** A text that YAML would read as something else stands in quotes. */
function scalar(value: unknown): string {
  const isPlain = typeof value === "string" && /^[A-Za-z/][A-Za-z0-9_:./-]*$/.test(value) &&
    !/^(true|false|null|yes|no)$|:$/i.test(value);
  return isPlain ? value : JSON.stringify(value);
}
