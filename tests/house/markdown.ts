/**
 * What the house tests read out of the documentation.
 *
 * @module
 */

/** A fenced block. */
export interface Fence {
  /** The language behind the fence. */
  readonly language: string;
  readonly text: string;
  /** Line of the first line of text, from 1. */
  readonly line: number;
}

/** One use of a program in the documentation. */
export interface Use {
  readonly line: number;
  readonly words: readonly string[];
}

/** The fenced blocks of a Markdown file. */
export function fencesOf(markdown: string): Fence[] {
  const fences: Fence[] = [];
  let open: { mark: string; language: string; line: number; lines: string[] } | undefined;
  for (const [index, line] of markdown.split("\n").entries()) {
    const [, mark = "", language = ""] = /^\s*(`{3,})(\S*)/.exec(line) ?? [];
    if (open === undefined) {
      if (mark !== "") open = { mark, language, line: index + 2, lines: [] };
    } else if (mark === open.mark && language === "") {
      fences.push({ language: open.language, text: open.lines.join("\n"), line: open.line });
      open = undefined;
    } else open.lines.push(line);
  }
  return fences;
}

/** Blocks that are whole specs: YAML with the key `pipelines`, TOML with a table of them. */
export function specsOf(markdown: string): Fence[] {
  return fencesOf(markdown).filter(({ language, text }) =>
    (language === "yaml" && /^pipelines:/m.test(text)) ||
    (language === "toml" && /^\[+pipelines[.\]]/m.test(text))
  );
}

/** Every use of a tool or a command of portsync, in fenced shell blocks and in inline code. */
export function usesOf(markdown: string, program: RegExp): Use[] {
  const shell = fencesOf(markdown).filter(({ language }) => /^(?:sh|console)$/.test(language));
  const lines = [
    ...shell.flatMap(({ text, line }) =>
      text.split("\n").map((words, index) => ({ words, line: line + index }))
    ),
    ...markdown.split("\n").flatMap((text, index) =>
      [...text.matchAll(/(?<!`)`([^`]+)`(?!`)/g)].map(([, words = ""]) => ({
        words,
        line: index + 1,
      }))
    ),
  ];
  return lines.flatMap(({ words, line }) => {
    const command = words.replace(/^\$ /, "").replace(/\s+#.*$/, "");
    const start = program.exec(command)?.[0];
    if (start === undefined) return [];
    return [{
      line,
      words: command.slice(start.length).split(/\s+/).filter((word) => word !== ""),
    }];
  });
}

/** Targets of relative links, without their fragment. */
export function linksOf(markdown: string): string[] {
  return [...markdown.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:|^#/.test(target)).map((target) => target.replace(/#.*/, ""));
}
