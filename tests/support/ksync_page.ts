/**
 * The transition table as the documentation shows it.
 *
 * @module
 */
import { EVENT_NAMES, type EventName, STATE_NAMES } from "../../src/transforms/ksync/states.ts";
import { TABLE } from "../../src/transforms/ksync/table.ts";

/** The columns of each part: what the KSync library knows, and what it does not. */
const PARTS: readonly (readonly EventName[])[] = [
  ["ADD_CHANGE_REQ", "DEL_REQ", "DEL_ADD_REQ", "ADD_ACK", "DEL_ACK", "RE_EVAL", "INT_PTR_REL"],
  ["NACK_TRANSIENT", "NACK_PERMANENT", "TIMEOUT", "RETRY", "SINK_LOST", "SINK_UP"],
];

/** The table in two parts, as Markdown. KEY_CHANGED and INVALID change no state. */
export function tablesOfPage(): string[] {
  const left = EVENT_NAMES.filter((event) => !PARTS.flat().includes(event));
  if (left.join() !== "CHANGE_ACK,INVALID,KEY_CHANGED") throw new Error(`${left} are in no part`);
  return PARTS.map((events) => {
    const heads = events.map((event) => event === "ADD_ACK" ? "ADD_ACK, CHANGE_ACK" : event);
    const rows = STATE_NAMES.filter((state) => state !== "FREE_WAIT").map((state) => [
      `**${state}**`,
      ...events.map((event) => TABLE[state][event] ?? ""),
    ]);
    const lines = [["state", ...heads], ["state", ...heads].map(() => "---"), ...rows];
    return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  });
}
