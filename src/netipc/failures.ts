/**
 * What the failure of a call means, and what can be done about it.
 *
 * @module
 */
import type { MethodCall } from "./calls.ts";
import { CodecError } from "./codec/errors.ts";
import { decodeHeader, Status } from "./codec/header.ts";
import { type Span, spanOf } from "./codec/span.ts";
import { type Growth, GROWTH_CAP } from "./connection.ts";
import { faultOf, NetipcError } from "./errors.ts";
import type { Abort } from "./session.ts";

/** A call that has failed once. */
export interface Attempt<T> {
  readonly call: MethodCall<T>;
  /** As `performance.now()`. */
  readonly deadline: number;
  readonly abort: Abort;
  /** How often the client had been closed when it began. */
  readonly closes: number;
}

/** Which limit a failure says is too small. */
export function growthFor(error: unknown, call: MethodCall<unknown>): Growth {
  if (!(error instanceof CodecError)) return faultOf(error) === "overflow" ? "response" : "none";
  return error.fault === "overflow" ? { request: lengthOf(call) } : "none";
}

/** How long a request is; as long as it may ever be when it is longer. */
function lengthOf(call: MethodCall<unknown>): number {
  try {
    return call.write(spanOf(new Uint8Array(GROWTH_CAP)));
  } catch (error) {
    if (error instanceof CodecError) return GROWTH_CAP;
    throw error;
  }
}

/** Whether no other try can help. */
export function isFinal(error: unknown): boolean {
  return faultOf(error) === "timeout" || faultOf(error) === "aborted";
}

/** Why the response in `span` is no answer to request `id`. */
export function refusalOf(span: Span, method: number, id: number, service: string): NetipcError {
  const { code, status, itemCount, messageId } = decodeHeader(span);
  if (code !== method || messageId !== BigInt(id)) {
    return new NetipcError("protocol", `The service ${service} answered something else`);
  }
  if (status === Status.limitExceeded) {
    const message = `The service ${service} says that a limit was exceeded`;
    return new NetipcError("overflow", message, { status });
  }
  if (status === Status.ok) {
    return new NetipcError("protocol", `The service ${service} answered ${itemCount} items`);
  }
  const message = `The service ${service} answered with status ${status}`;
  return new NetipcError("failed", message, { status });
}
