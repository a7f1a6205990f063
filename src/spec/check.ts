/**
 * The check phase: from text to a checked spec, or to everything that is wrong with it. It does no
 * I/O and starts nothing; the environment is looked up by a function that the caller gives.
 *
 * @module
 */
import type { SpecConfig } from "../../schemas/pipeline.ts";
import { type Complaint, inOrder, SpecError } from "./errors.ts";
import type { Finding } from "./finding.ts";
import { type Environment, interpolate, type Interpolated } from "./interpolate.ts";
import type { Verdict } from "./judge.ts";
import { type Overridden, override } from "./overrides.ts";
import type { Locator, Parsed } from "./parsed.ts";
import { SINK_TYPES, SPEC } from "./plain.gen.ts";
import { takePlain } from "./plain_schema.ts";
import { applyRules } from "./rules.ts";
import { SourceText, type Spot } from "./source_text.ts";
import { formatPath } from "./tree.ts";

/** What the check is given beside the text. */
export interface CheckOptions {
  /** Where `${NAME}` is looked up; every name is unset when left out. */
  readonly environment?: Environment;
  /** `--set` arguments, each `path=value`. */
  readonly overrides?: readonly string[];
}

/** A spec that has passed the check. */
export interface Checked {
  /** The name of its file, as the operator gave it. */
  readonly file: string;
  readonly config: SpecConfig;
  /** Names of the environment that it refers to. */
  readonly environment: readonly string[];
  /** Complaints of later phases, with the places of their paths. */
  refuse(findings: readonly Finding[], options?: ErrorOptions): Promise<SpecError>;
}

/**
 * Checks the text of a spec. The notation follows from the file's name: `.yaml`, `.yml`, `.toml`.
 *
 * @throws {SpecError} with all that is wrong; never anything else, whatever the text is
 *
 * @example
 * ```ts
 * import { check } from "./check.ts";
 * import { SourceText } from "./source_text.ts";
 * const text = `
 * version: 1
 * pipelines:
 *   ports:
 *     source: { type: netlink }
 *     transforms: [{ type: ksync }]
 *     sinks: [{ type: state_db }]
 * `;
 * const { config } = await check(new SourceText("ports.yaml", text));
 * config.pipelines["ports"]?.source.type; // "netlink"
 * ```
 */
export async function check(source: SourceText, options: CheckOptions = {}): Promise<Checked> {
  const parsed = await parse(source);
  const overridden = override(parsed.tree, options.overrides ?? []);
  const interpolated = interpolate(overridden.tree, options.environment ?? (() => undefined));
  const { findings, config } = await judge(overridden, interpolated);
  const refuse = (found: readonly Finding[], errorOptions?: ErrorOptions) =>
    complain(found, parsed, overridden, errorOptions);
  if (config === undefined || findings.length > 0) throw await refuse(findings);
  return { file: source.file, config, environment: [...interpolated.names].sort(), refuse };
}

/** The quick check takes a good spec; whatever else there is to say, zod says it. */
async function judge(overridden: Overridden, interpolated: Interpolated): Promise<Verdict> {
  const config = takePlain(SPEC, interpolated.tree);
  const findings = [...interpolated.findings, ...applyRules(interpolated.tree, SINK_TYPES)];
  if (config !== undefined && findings.length === 0) return { findings, config };
  return (await import("./judge.ts")).judge(overridden, interpolated);
}

async function parse(source: SourceText): Promise<Parsed> {
  if (/\.ya?ml$/i.test(source.file)) return await (await import("./yaml.ts")).parseYaml(source);
  if (/\.toml$/i.test(source.file)) return await (await import("./toml.ts")).parseToml(source);
  const message = "The name of a spec ends in .yaml, .yml or .toml, which says how to read it";
  const place = { start: 0, end: 1 };
  throw new SpecError([new SourceText(source.file, "").complain(place, message)]);
}

async function complain(
  findings: readonly Finding[],
  parsed: Parsed,
  overridden: Overridden,
  options: ErrorOptions = {},
): Promise<SpecError> {
  const locator = await parsed.locator();
  const complaints = findings.map((finding) => place(finding, parsed.source, locator, overridden));
  return new SpecError(inOrder(complaints), options);
}

function place(
  finding: Finding,
  source: SourceText,
  locator: Locator,
  overridden: Overridden,
): Complaint {
  const { path, part, message, suggestion, fragment } = finding;
  const options = { path: formatPath(path), suggestion };
  const { spot, steps } = locator.find(path, part);
  const argument = overridden.find(path, part, steps);
  if (argument !== undefined) {
    const complaint = argument.source.complain(argument.spot, message, options);
    return { ...complaint, line: argument.number };
  }
  const narrowed = fragment === undefined ? spot : within(source, spot, fragment);
  return source.complain(narrowed, message, options);
}

function within(source: SourceText, spot: Spot, fragment: string): Spot {
  const at = source.text.slice(spot.start, spot.end).indexOf(fragment);
  if (at < 0) return spot;
  return { start: spot.start + at, end: spot.start + at + fragment.length };
}
