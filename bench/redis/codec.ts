/**
 * The codec alone, without a server: what a client can reach at best.
 *
 * @module
 */
import { ReplyParser } from "../../src/redis/codec/decode.ts";
import { CommandWriter } from "../../src/redis/codec/encode.ts";
import type { Figure } from "../support/figures.ts";

const COMMANDS = 1000;

/** One figure for each direction. */
export function codecFigures(runs: number): Figure[] {
  const writer = new CommandWriter();
  const write = () => {
    writer.reset();
    for (let n = 0; n < COMMANDS; n++) {
      writer.command(
        ...["HSET", "PORT_TABLE|Ethernet100", "state", "ok", "netdev_oper_status", "up"],
        ...["admin_status", "up", "mtu", "9100"],
      );
    }
  };
  const integers = new TextEncoder().encode(":5\r\n".repeat(COMMANDS));
  const row = "*8\r\n$5\r\nstate\r\n$2\r\nok\r\n$18\r\nnetdev_oper_status\r\n$2\r\nup\r\n" +
    "$12\r\nadmin_status\r\n$2\r\nup\r\n$3\r\nmtu\r\n$4\r\n9100\r\n";
  const rows = new TextEncoder().encode(row.repeat(COMMANDS));
  const parser = new ReplyParser();
  const parse = (bytes: Uint8Array) => () => {
    parser.push(bytes);
    while (parser.next() !== undefined);
  };
  return [
    { what: "codec: HSET of four fields written", unit: "commands/s", values: times(runs, write) },
    { what: "codec: integers read", unit: "replies/s", values: times(runs, parse(integers)) },
    {
      what: "codec: rows of four fields read",
      unit: "replies/s",
      values: times(runs, parse(rows)),
    },
  ];
}

/** How many a second, once for each run. */
function times(runs: number, turn: () => void): number[] {
  const measure = () => {
    const start = performance.now();
    let turns = 0;
    let ms = 0;
    for (; ms < 200; turns++) {
      turn();
      ms = performance.now() - start;
    }
    return turns * COMMANDS / ms * 1000;
  };
  measure();
  return Array.from({ length: runs }, measure);
}
