/**
 * Outputs for commands under test.
 *
 * @module
 */
import type { Io, Output } from "../../src/cli/command.ts";
import { paintFor } from "../../src/cli/terminal.ts";

/** An `Io` that collects what a command says. */
export interface FakeIo extends Io {
  outText(): string;
  errorText(): string;
}

/** Makes an `Io` without colour; `terminal` says whether a person seems to be reading. */
export function fakeIo(terminal = false): FakeIo {
  const texts = { out: "", error: "" };
  const output = (name: keyof typeof texts): Output => ({
    terminal,
    paint: paintFor(false),
    write: (text) => {
      texts[name] += text;
    },
    line: (text = "") => {
      texts[name] += text + "\n";
    },
  });
  return {
    out: output("out"),
    error: output("error"),
    outText: () => texts.out,
    errorText: () => texts.error,
  };
}
