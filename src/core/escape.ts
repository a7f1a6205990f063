/**
 * Outside text made safe for a terminal and for a log line.
 *
 * @module
 */

// C0, DEL, C1, line separators, invisible and direction-changing marks, lone surrogates.
const UNSAFE =
  // deno-lint-ignore no-control-regex -- control characters are what this looks for
  /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Surrogate}/gu;

/**
 * Writes every character that could move the cursor, change colours, split a line or hide text as
 * `\xNN` or `\u{NNNN}`.
 */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}
