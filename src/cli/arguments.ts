/**
 * Reads the command line of one command by its table of options.
 *
 * Written out here because loading `node:util` for `parseArgs` costs 7 ms at every start, which is
 * a third of what Deno itself takes.
 *
 * @module
 */
import { escapeControls } from "../core/escape.ts";
import { nearest } from "../core/nearest.ts";
import { type Arguments, type Command, type Option, UsageError } from "./command.ts";

/**
 * Checks `words` against the command's options and operands.
 *
 * Flags and operands may be mixed; everything after `--` is an operand. A value follows its flag
 * as the next word or after `=`.
 *
 * @throws {UsageError} naming the word that is wrong, with a suggestion where one is close
 */
export function readArguments(
  command: Pick<Command, "options" | "operands" | "usage">,
  words: readonly string[],
): Arguments {
  const operands: string[] = [];
  const values = new Map<string, string[]>();
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (word === "--") {
      operands.push(...words.slice(index + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      operands.push(word);
      continue;
    }
    const { name, option, attached } = findOption(command.options, word);
    const given = values.get(name) ?? [];
    if (given.length > 0 && option.multiple === undefined) {
      throw new UsageError(`--${name} is given more than once`);
    }
    if (option.value === undefined) {
      if (attached !== undefined) throw new UsageError(`--${name} takes no value`);
      given.push("");
    } else {
      const value = attached ?? words[++index];
      if (value === undefined) {
        throw new UsageError(`--${name} needs a value: --${name} ${option.value}`);
      }
      given.push(value);
    }
    values.set(name, given);
  }
  checkOperands(command, operands);
  return new CheckedArguments(command.options, operands, values);
}

interface Found {
  readonly name: string;
  readonly option: Option;
  readonly attached: string | undefined;
}

function findOption(options: Command["options"], word: string): Found {
  const equals = word.indexOf("=");
  const flag = equals < 0 ? word : word.slice(0, equals);
  const attached = equals < 0 ? undefined : word.slice(equals + 1);
  for (const [name, option] of Object.entries(options)) {
    if (flag === `--${name}` || (option.short !== undefined && flag === `-${option.short}`)) {
      return { name, option, attached };
    }
  }
  const known = Object.keys(options).map((name) => `--${name}`);
  const meant = nearest(flag, [...known, "--help"]);
  throw new UsageError(
    `There is no option ${printable(flag)}` +
      (meant === undefined ? "" : `; did you mean ${meant}?`),
  );
}

function checkOperands(
  command: Pick<Command, "operands" | "usage">,
  operands: readonly string[],
): void {
  const { min, max } = command.operands;
  if (operands.length < min) throw new UsageError(`${command.usage} is missing`);
  if (operands.length > max) {
    throw new UsageError(`${printable(operands[max] ?? "")} is one argument too many`);
  }
}

/** Control characters of a mistyped word must not reach the terminal. */
export function printable(word: string): string {
  return `"${escapeControls(word.length > 80 ? word.slice(0, 80) + "…" : word)}"`;
}

class CheckedArguments implements Arguments {
  readonly operands: readonly string[];
  readonly #options: Command["options"];
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(
    options: Command["options"],
    operands: readonly string[],
    values: ReadonlyMap<string, readonly string[]>,
  ) {
    this.operands = operands;
    this.#options = options;
    this.#values = values;
  }

  flag(name: string): boolean {
    return this.list(name).length > 0;
  }

  text(name: string): string | undefined {
    return this.list(name).at(-1);
  }

  list(name: string): readonly string[] {
    if (!Object.hasOwn(this.#options, name)) {
      throw new TypeError(`The command has no option --${name}`);
    }
    return this.#values.get(name) ?? [];
  }
}
