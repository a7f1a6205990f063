/**
 * Pipelines by their names.
 *
 * @module
 */
import { nearest } from "../core/nearest.ts";
import { printable } from "./arguments.ts";
import { UsageError } from "./command.ts";

/**
 * The pipeline of that name, or all of them without a name.
 *
 * @throws {UsageError} when there is none
 */
export function pickPipelines<Pipeline extends { readonly name: string }>(
  { pipelines, file }: { readonly pipelines: readonly Pipeline[]; readonly file: string },
  name: string | undefined,
): readonly Pipeline[] {
  if (pipelines.length === 0) throw new UsageError(`There is no pipeline in ${file}`);
  if (name === undefined) return pipelines;
  const found = pipelines.filter((pipeline) => pipeline.name === name);
  if (found.length > 0) return found;
  const meant = nearest(name, pipelines.map((pipeline) => pipeline.name));
  throw new UsageError(
    `There is no pipeline ${printable(name)} in ${file}` +
      (meant === undefined ? "" : `; did you mean ${meant}?`),
  );
}
