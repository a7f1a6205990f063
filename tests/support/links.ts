/**
 * What links of a namespace are, for tests that change them.
 *
 * @module
 */
import { eventually } from "./eventually.ts";
import type { Netns } from "./netns.ts";

/** A link as `ip` shows it. */
export interface ShownLink {
  readonly up: boolean;
  readonly mtu: number;
  /** The name of its bridge; undefined for none. */
  readonly master: string | undefined;
}

/** The link of a name; undefined where there is none. */
export async function shownLink(netns: Netns, name: string): Promise<ShownLink | undefined> {
  const links: unknown = JSON.parse(await netns.ip("-j", "link", "show"));
  if (!Array.isArray(links)) throw new Error("ip link gave no list");
  const found: Record<string, unknown> | undefined = links.find((link) =>
    Object(link)["ifname"] === name
  );
  if (found === undefined) return undefined;
  const { flags, mtu, master } = found;
  return {
    up: Array.isArray(flags) && flags.includes("UP"),
    mtu: Number(mtu),
    master: typeof master === "string" ? master : undefined,
  };
}

/** Waits until a link is like this in every respect that is named. */
export async function linkIs(
  netns: Netns,
  name: string,
  expected: { readonly [Property in keyof ShownLink]?: ShownLink[Property] },
): Promise<void> {
  await eventually(async () => {
    const link = await shownLink(netns, name);
    if (link === undefined) return `there is no link ${name}`;
    const wrong = Object.entries(expected).filter(([property, value]) =>
      Object.entries(link).find(([own]) => own === property)?.[1] !== value
    );
    return wrong.length === 0
      ? undefined
      : `${name} is ${JSON.stringify(link)} and should be ${JSON.stringify(expected)}`;
  });
}
