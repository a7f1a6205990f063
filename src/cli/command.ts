/**
 * The shape of a command, and what it is given.
 *
 * A command's module exports `command: Command`; `main.ts` lists it in one table. Help texts, the
 * check of the command line and the suggestions for mistyped flags all come from this shape.
 *
 * @module
 */
import { ExitCode, StopError } from "../core/errors.ts";

/** One flag of a command. Every flag is written as `--name`, or `-s` where it has a `short`. */
export interface Option {
  /** The name of its value in the help, for example `FILE`; a flag without a value has none. */
  readonly value?: string;
  /** A single letter. */
  readonly short?: string;
  /** It may be given more than once. */
  readonly multiple?: true;
  /** One line for the help, without a full stop. */
  readonly description: string;
}

/** One command of `portsync`. */
export interface Command {
  /** The word that picks it. */
  readonly name: string;
  /** One line for the list of commands, without a full stop. */
  readonly summary: string;
  /** Its operands, for example `FILE…`, or an empty text; flags are added by the help. */
  readonly usage: string;
  /** How many operands it takes. */
  readonly operands: { readonly min: number; readonly max: number };
  /** Paragraphs of the help, below the summary. */
  readonly details?: readonly string[];
  /** The flags by name. */
  readonly options: Readonly<Record<string, Option>>;
  /** Command lines without the leading `portsync`, each with what it shows. */
  readonly examples: readonly { readonly line: string; readonly shows: string }[];
  /**
   * Does the work.
   *
   * @returns the exit code, one of `ExitCode`
   * @throws {StopError} with a message for the operator and the exit code that belongs to it
   */
  run(args: Arguments, io: Io): number | Promise<number>;
}

/** The checked command line of one command. Asking for an option that it has not is a fault. */
export interface Arguments {
  /** The words that are no flags. */
  readonly operands: readonly string[];
  /** Whether a flag without a value was given. */
  flag(name: string): boolean;
  /** The value of an option, or undefined where it was not given. */
  text(name: string): string | undefined;
  /** All values of an option that may be given more than once. */
  list(name: string): readonly string[];
}

/** Where a command's words go. Tests give one that collects them. */
export interface Io {
  /** Standard output: what was asked for. */
  readonly out: Output;
  /** Standard error: complaints, progress, logs. */
  readonly error: Output;
}

/** One of the two outputs. */
export interface Output {
  /** Whether a person is reading. */
  readonly terminal: boolean;
  /** Writes text as it is. It may hold escape sequences, so outside bytes must be escaped before. */
  write(text: string): void;
  /** Writes one line. */
  line(text?: string): void;
  /** Colours for this output; without colour each returns its text unchanged. */
  readonly paint: Paint;
}

/** Colours by name, so that no command writes an escape sequence itself. */
export type Paint = Readonly<
  Record<"bold" | "dim" | "red" | "green" | "yellow" | "cyan", (text: string) => string>
>;

/** The command line is wrong: exit code 64, and a pointer to the help. */
export class UsageError extends StopError {
  /** `message` says what is wrong, as a sentence without a full stop. */
  constructor(message: string) {
    super(message, { exitCode: ExitCode.usage });
  }
}
