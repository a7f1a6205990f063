/**
 * Who waits for which master.
 *
 * @module
 */

/** Links that wait for a master, each for one at most. */
export class Awaiting {
  readonly #byLink = new Map<string, string>();
  readonly #byMaster = new Map<string, Set<string>>();

  /** How many links wait. */
  get size(): number {
    return this.#byLink.size;
  }

  /** A link waits for this master from now on and for no other; `undefined` for none at all. */
  set(link: string, master: string | undefined): void {
    const before = this.#byLink.get(link);
    if (before === master) return;
    if (before !== undefined) {
      const links = this.#byMaster.get(before);
      links?.delete(link);
      if (links?.size === 0) this.#byMaster.delete(before);
      this.#byLink.delete(link);
    }
    if (master === undefined) return;
    this.#byLink.set(link, master);
    const links = this.#byMaster.get(master) ?? new Set();
    this.#byMaster.set(master, links.add(link));
  }

  /** Those who wait for this master; they wait no longer. */
  take(master: string): readonly string[] {
    const links = [...this.#byMaster.get(master) ?? []];
    this.#byMaster.delete(master);
    for (const link of links) this.#byLink.delete(link);
    return links;
  }

  /** Nobody waits any more. */
  clear(): void {
    this.#byLink.clear();
    this.#byMaster.clear();
  }
}
