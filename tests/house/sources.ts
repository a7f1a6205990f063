/**
 * What holds for the text of every source.
 *
 * @module
 */

const MAX_LINES = 400;
const REASON = /(?:\/\/|\*|#)\s*Longer than 400 lines: \S|\bMade by [^]*\bdo not edit\b/;

/** A long file needs a reason in its first twenty lines; that nobody writes it is one. */
export function lengthComplaint(path: string, source: string): string | undefined {
  const lines = source.replace(/\n$/, "").split("\n");
  if (lines.length <= MAX_LINES) return undefined;
  if (REASON.test(lines.slice(0, 20).join("\n"))) return undefined;
  return `${path}:${lines.length}: longer than ${MAX_LINES} lines, and no comment at its top says ` +
    `"Longer than ${MAX_LINES} lines: the reason"`;
}

// Put together from pieces, so that this file does not complain about itself.
const OPEN_WORK = new RegExp(`\\b(?:${["TO" + "DO", "FIX" + "ME", "X" + "XX"].join("|")})\\b`);

/** Marks of work left open. */
export function unfinishedComplaints(path: string, source: string): string[] {
  return source.split("\n").flatMap((line, index) => {
    const mark = OPEN_WORK.exec(line)?.[0];
    return mark === undefined ? [] : [`${path}:${index + 1}: work left open (${mark})`];
  });
}

/** Calls that belong to one room, looked for in code and not in comments. */
export function callComplaints(path: string, source: string): string[] {
  if (path.endsWith("_test.ts")) return [];
  return source.split("\n").flatMap((line, index) => {
    if (/^\s*(?:\/\/|\/?\*)/.test(line)) return [];
    const place = `${path}:${index + 1}:`;
    if (!path.startsWith("ffi/") && /\bdlopen\b/.test(line)) {
      return [`${place} only ffi/ may call Deno.dlopen`];
    }
    const socket = /\bDeno\.(?:connect|connectTls|listen|listenTls|serve)\b/.exec(line)?.[0];
    if (path.startsWith("src/spec/") && socket !== undefined) {
      return [`${place} spec never opens a socket (${socket})`];
    }
    return [];
  });
}
