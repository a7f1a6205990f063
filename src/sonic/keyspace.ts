/**
 * Keyspace notifications: whether the server sends those that a table's readers need.
 * Source: https://redis.io/docs/latest/develop/use/keyspace-notifications/
 *
 * @module
 */

/** The letters without which a reader of hashes misses something, and what each stands for. */
const NEEDED: readonly (readonly [letter: string, classes: string, what: string])[] = [
  ["K", "K", "keyspace events"],
  ["h", "hA", "writes to hashes"],
  ["g", "gA", "DEL, EXPIRE and RENAME"],
  ["x", "xA", "expired keys"],
  ["e", "eA", "evicted keys"],
];

/**
 * What a value of `notify-keyspace-events` lacks, for people.
 *
 * @returns `undefined` when nothing is lacking
 */
export function missingNotifications(flags: string): string | undefined {
  const missing = NEEDED.filter(([, classes]) => ![...classes].some((one) => flags.includes(one)));
  if (missing.length === 0) return undefined;
  return missing.map(([letter, , what]) => `${letter} (${what})`).join(", ");
}

/** The key in the name of a keyspace channel, `__keyspace@6__:PORT_TABLE|Ethernet0`. */
export function keyOfChannel(channel: string): string {
  return channel.slice(channel.indexOf(":") + 1);
}
