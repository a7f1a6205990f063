/**
 * What the kernel's answer means for the row.
 *
 * @module
 */
import { RejectError, RetryLaterError, StopError } from "../../core/errors.ts";
import { nativeCause } from "../../../ffi/errors.ts";
import type { LinkComplaint } from "../../../ffi/linkset.ts";
import type { Step } from "./plan.ts";

/** Of `errno.h`. */
const EPERM = 1;
const ENODEV = 19;
const EINVAL = 22;

/** Whether the kernel may have meant that this process may not change links at all. */
export function isForbidden(complaint: LinkComplaint | undefined): boolean {
  const native = nativeCause(complaint);
  return native?.errno === EPERM && native.words === "";
}

/** Whether the kernel may have meant that the master's index is none any more. */
export function isStaleMaster(complaint: LinkComplaint | undefined): boolean {
  const native = nativeCause(complaint);
  return native?.errno === EINVAL && native.words === "";
}

/** Nothing can be changed before an operator acts. */
export function forbidden(): StopError {
  return new StopError(
    "Links cannot be changed: the kernel does not permit it (EPERM); run portsync as root, or " +
      "with CAP_NET_ADMIN in the network namespace",
  );
}

/**
 * The error for a row: to be written again when its link is there or the kernel less busy, or
 * refused in the kernel's own words.
 */
export function verdictOf({ wish, field }: Step, complaint: LinkComplaint): Error {
  const native = nativeCause(complaint);
  if (native === undefined) return complaint;
  const { link } = wish;
  if (native.errno === ENODEV) {
    return new RetryLaterError(`There is no link ${link} yet; it is set up as soon as it appears`, {
      cause: complaint,
    });
  }
  const what = field === undefined ? "to be down for its master" : describe(field);
  const why = native.words === "" ? native.message : `${native.words} (${native.code})`;
  return complaint instanceof RetryLaterError
    ? new RetryLaterError(`${link} could not get ${what} now: ${why}`, { cause: complaint })
    : new RejectError(`The kernel refuses ${link} ${what}: ${why}`, { cause: complaint });
}

function describe([name, value]: NonNullable<Step["field"]>): string {
  return value === "" ? `no ${name}` : `${name} ${value}`;
}

/** The error that says what to do with the whole row; the others are mended or repeat themselves. */
export function worstOf(errors: readonly Error[]): Error | undefined {
  return errors.find((error) => error instanceof StopError) ??
    errors.find((error) => error instanceof RejectError) ?? errors[0];
}
