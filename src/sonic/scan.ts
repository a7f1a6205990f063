/**
 * Reads every row of a table.
 *
 * @module
 */
import { ReconnectError } from "../core/errors.ts";
import type { Row } from "../core/stage.ts";
import type { RedisClient } from "../redis/client.ts";
import type { CommandWriter } from "../redis/codec/encode.ts";
import { ErrorReply, type Reply } from "../redis/codec/reply.ts";
import { replyError } from "../redis/errors.ts";
import { readFields } from "./fields.ts";

/** How many keys the server looks at for one SCAN. */
const SCAN_COUNT = "1000";

/** A text that SCAN and PSUBSCRIBE take literally. */
export function escapeGlob(text: string): string {
  return text.replace(/[*?[\]\\^]/g, "\\$&");
}

/**
 * The rows whose keys begin with `prefix`, each once, with what follows the prefix as their key.
 * One page's rows and the next page's keys are asked for in one write. A row that goes away
 * meanwhile is left out, and so is a key that holds no hash.
 *
 * @param onForeign called for each key that holds no hash
 * @throws {ReconnectError} when the server is lost on the way: there is no going on with its cursor
 */
export async function* scanRows(
  client: RedisClient,
  prefix: string,
  onForeign: (key: string) => void = () => {},
): AsyncGenerator<Row> {
  const { epoch } = client;
  const pattern = `${escapeGlob(prefix)}*`;
  const scan = (writer: CommandWriter, cursor: string) =>
    writer.command("SCAN", cursor, "MATCH", pattern, "COUNT", SCAN_COUNT);
  // SCAN may name a key twice.
  const seen = new Set<string>();
  let [page] = await client.pipeline((writer) => scan(writer, "0"));
  for (;;) {
    const { cursor, keys } = readPage(page, client.server);
    const fresh = keys.filter((key) => key.startsWith(prefix) && !seen.has(key));
    for (const key of fresh) seen.add(key);
    if (client.epoch !== epoch) {
      throw new ReconnectError(`Redis at ${client.server} was lost while a table was read`);
    }
    const replies = await client.pipeline((writer) => {
      for (const key of fresh) writer.command("HGETALL", key);
      if (cursor !== "0") scan(writer, cursor);
    });
    for (const [index, key] of fresh.entries()) {
      const reply = replies[index];
      if (reply instanceof ErrorReply) {
        if (reply.code !== "WRONGTYPE") throw replyError(reply, client.server);
        onForeign(key);
        continue;
      }
      const fields = readFields(reply);
      if (fields) yield { key: key.slice(prefix.length), fields };
    }
    if (cursor === "0") return;
    page = replies[fresh.length];
  }
}

function readPage(
  reply: Reply | undefined,
  server: string,
): { readonly cursor: string; readonly keys: readonly string[] } {
  if (reply instanceof ErrorReply) throw replyError(reply, server);
  if (Array.isArray(reply)) {
    const [cursor, keys] = reply;
    if (typeof cursor === "string" && Array.isArray(keys) && keys.every(isText)) {
      return { cursor, keys };
    }
  }
  throw new ReconnectError(`Redis at ${server} answered SCAN with something else than keys`);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
