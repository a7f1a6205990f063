/**
 * What can become of a call to a peer.
 *
 * @module
 */

/** Why a session or a call failed. */
export type NetipcFault =
  /** The client has no session; call `refresh()`. */
  | "not ready"
  /** Nobody listens at the service's path. */
  | "not found"
  /** The server knows another token. */
  | "auth failed"
  /** The two sides have no profile or version in common. */
  | "incompatible"
  /** The server refused for another reason. */
  | "refused"
  /** The peer did not answer in time. */
  | "timeout"
  /** The caller gave up. */
  | "aborted"
  /** The peer is gone. */
  | "closed"
  /** A request or a response is larger than both sides allow. */
  | "overflow"
  /** The peer does not keep to the protocol. */
  | "protocol"
  /** The server answered that it cannot. */
  | "failed";

/** A session or a call that failed. */
export class NetipcError extends Error {
  override readonly name = "NetipcError";
  /** Why. */
  readonly fault: NetipcFault;
  /** The transport status that the server answered with, if it did. */
  readonly status: number | undefined;

  constructor(
    fault: NetipcFault,
    message: string,
    options: ErrorOptions & { status?: number } = {},
  ) {
    super(message, options);
    this.fault = fault;
    this.status = options.status;
  }
}

/** The fault behind an error, if it is one of ours. */
export function faultOf(error: unknown): NetipcFault | undefined {
  return error instanceof NetipcError ? error.fault : undefined;
}

const EACCES = 13;
const EMSGSIZE = 90;
const ENOPROTOOPT = 92;
const EPROTO = 71;
const EPROTONOSUPPORT = 93;
const ETIMEDOUT = 110;
const EBADE = 52;

/** The error for the status of a session that was closed: a negative errno, or 0. */
export function closedError(status: number, service: string): NetipcError {
  const about = `The netipc service ${service}`;
  switch (-status) {
    case EACCES:
      return new NetipcError("auth failed", `${about} refused the token`);
    case EPROTONOSUPPORT:
      return new NetipcError("incompatible", `${about} has no profile in common`);
    case ENOPROTOOPT:
      return new NetipcError("incompatible", `${about} speaks another version`);
    case EBADE:
      return new NetipcError("refused", `${about} refused the session`);
    case EMSGSIZE:
      return new NetipcError("overflow", `${about} sent or allows less than was agreed`);
    case EPROTO:
      return new NetipcError("protocol", `${about} does not keep to the protocol`);
    case ETIMEDOUT:
      return timeoutError(service);
    default:
      return new NetipcError("closed", `${about} closed the session`);
  }
}

/** The peer did not answer in time. */
export function timeoutError(service: string): NetipcError {
  return new NetipcError("timeout", `The netipc service ${service} did not answer in time`);
}

/** The caller gave up. */
export function abortedError(service: string): NetipcError {
  return new NetipcError("aborted", `The call of the netipc service ${service} was given up`);
}
