/**
 * Text from a spec, made fit for a terminal and a log.
 *
 * @module
 */

/** Characters that would move a cursor, hide text or turn its direction. */
const HARMFUL =
  // deno-lint-ignore no-control-regex -- these are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Replaces each harmful character by `�`, so that columns stay what they are. Tabs stay. */
export function hideControls(text: string): string {
  return text.replace(HARMFUL, "\ufffd");
}

/** A word from a spec inside a sentence: quoted, escaped and short. */
export function quote(word: unknown): string {
  const text = typeof word === "string" ? word : String(word);
  const short = text.length > 60 ? text.slice(0, 60) + "…" : text;
  return JSON.stringify(hideControls(short));
}

/**
 * Options that hold secrets, as they stand in a line of YAML or TOML. Only a reference may be
 * shown, and a line is printed before anybody knows whether it is one.
 */
const SECRET_LINE =
  /((?:^|[\s{,."'])(?:password|passphrase|auth_token|token|secret)["']?\s*[:=]\s*)(.*)$/i;

/** Hides what may be a secret in one line, with as many characters as it had. */
export function maskSecrets(line: string): string {
  const masked = line.replace(/(:\/\/[^\s/@:]*:)([^\s/@]+)(@)/g, (_all, head, word, tail) => {
    return `${head}${stars(word)}${tail}`;
  });
  const found = SECRET_LINE.exec(masked);
  if (found === null) return masked;
  const [, head = "", value = ""] = found;
  if (/^["']?\$\{(file|credential):[^{}]*\}["']?\s*([#,}].*)?$/.test(value)) return masked;
  return masked.slice(0, found.index) + head + stars(value);
}

function stars(text: string): string {
  return "*".repeat(Array.from(text).length);
}
