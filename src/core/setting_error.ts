/**
 * A setting that only the machine can tell to be wrong: a file that is not there, a database that
 * nobody names. The spec's room adds line and column.
 *
 * @module
 */

/**
 * Thrown by a definition's `resolve` and `grants`. `path` leads from the component's settings to
 * the value, for example `["ports", "url"]`.
 *
 * @example
 * ```ts
 * import { SettingError } from "./setting_error.ts";
 * throw new SettingError("There is no such file", ["file"]);
 * ```
 */
export class SettingError extends Error {
  /** The class, also after minifying. */
  override readonly name = "SettingError";
  /** From the component's settings to the value. */
  readonly path: readonly (string | number)[];

  /** `path` leads from the component's settings to the value. */
  constructor(message: string, path: readonly (string | number)[], options: ErrorOptions = {}) {
    super(message, options);
    this.path = path;
  }
}
