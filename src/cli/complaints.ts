/**
 * Complaints about a spec on a terminal.
 *
 * @module
 */
import { type Complaint, MOST_PRINTED, renderComplaint, type SpecError } from "../spec/errors.ts";
import type { Output, Paint } from "./command.ts";

/** Prints every complaint of an error, with colour where the output has it. */
export function printComplaints(error: SpecError, output: Output): void {
  const { complaints } = error;
  for (const complaint of complaints.slice(0, MOST_PRINTED)) {
    output.line(paint(complaint, output.paint));
  }
  if (complaints.length > MOST_PRINTED) {
    output.line(`… and ${complaints.length - MOST_PRINTED} more`);
  }
}

function paint(complaint: Complaint, { bold, dim, red }: Paint): string {
  const [first = "", ...rest] = renderComplaint(complaint).split("\n");
  const place = `${complaint.file}:${complaint.line}:${complaint.column}:`;
  const lines = rest.map((line) => /^\s*\|\s*\^+$/.test(line) ? red(line) : dim(line));
  return [bold(place) + first.slice(place.length), ...lines].join("\n");
}
