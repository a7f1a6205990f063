/**
 * The two messages of the handshake. The library in C speaks them; here they are for tools that
 * look at recordings, and for tests.
 *
 * @module
 */
import { require } from "./errors.ts";
import type { Span } from "./span.ts";

/** Opcodes of control messages. */
export const Opcode = { hello: 1, helloAck: 2 } as const;

/** Profile bits: how messages travel after the handshake. */
export const Profile = {
  /** Over the socket. */
  uds: 1,
  /** Through shared memory. */
  shm: 2,
  /** A reserved bit that peers treat as `shm`. */
  shmFutex: 4,
} as const;

/** Bytes of a HELLO's payload. */
export const HELLO_BYTES = 44;

/** Bytes of a HELLO_ACK's payload. */
export const HELLO_ACK_BYTES = 48;

/** What a client offers. */
export interface Hello {
  readonly flags: number;
  readonly supportedProfiles: number;
  readonly preferredProfiles: number;
  readonly maxRequestBytes: number;
  readonly maxRequestItems: number;
  readonly maxResponseBytes: number;
  readonly maxResponseItems: number;
  readonly authToken: bigint;
  readonly packetSize: number;
}

/** What a server answers. */
export interface HelloAck {
  readonly supportedProfiles: number;
  readonly intersectionProfiles: number;
  readonly selectedProfile: number;
  readonly maxRequestBytes: number;
  readonly maxRequestItems: number;
  readonly maxResponseBytes: number;
  readonly maxResponseItems: number;
  readonly packetSize: number;
  readonly sessionId: bigint;
}

const LAYOUT_VERSION = 1;

/** Reads a HELLO; flags are not checked, as no server does. */
export function decodeHello({ view, start, length }: Span): Hello {
  require(length >= HELLO_BYTES, "truncated", "HELLO");
  require(view.getUint16(start, true) === LAYOUT_VERSION, "bad version", "HELLO");
  require(view.getUint32(start + 28, true) === 0, "bad layout", "HELLO");
  return {
    flags: view.getUint16(start + 2, true),
    supportedProfiles: view.getUint32(start + 4, true),
    preferredProfiles: view.getUint32(start + 8, true),
    maxRequestBytes: view.getUint32(start + 12, true),
    maxRequestItems: view.getUint32(start + 16, true),
    maxResponseBytes: view.getUint32(start + 20, true),
    maxResponseItems: view.getUint32(start + 24, true),
    authToken: view.getBigUint64(start + 32, true),
    packetSize: view.getUint32(start + 40, true),
  };
}

/** Writes a HELLO and returns its length. */
export function encodeHello({ view, start, length }: Span, hello: Hello): number {
  require(length >= HELLO_BYTES, "overflow", "HELLO");
  view.setUint16(start, LAYOUT_VERSION, true);
  view.setUint16(start + 2, hello.flags, true);
  view.setUint32(start + 4, hello.supportedProfiles, true);
  view.setUint32(start + 8, hello.preferredProfiles, true);
  view.setUint32(start + 12, hello.maxRequestBytes, true);
  view.setUint32(start + 16, hello.maxRequestItems, true);
  view.setUint32(start + 20, hello.maxResponseBytes, true);
  view.setUint32(start + 24, hello.maxResponseItems, true);
  view.setUint32(start + 28, 0, true);
  view.setBigUint64(start + 32, hello.authToken, true);
  view.setUint32(start + 40, hello.packetSize, true);
  return HELLO_BYTES;
}

/** Reads a HELLO_ACK; its reserved word is not checked, as no client does. */
export function decodeHelloAck({ view, start, length }: Span): HelloAck {
  require(length >= HELLO_ACK_BYTES, "truncated", "HELLO_ACK");
  require(view.getUint16(start, true) === LAYOUT_VERSION, "bad version", "HELLO_ACK");
  require(view.getUint16(start + 2, true) === 0, "bad layout", "HELLO_ACK");
  return {
    supportedProfiles: view.getUint32(start + 4, true),
    intersectionProfiles: view.getUint32(start + 8, true),
    selectedProfile: view.getUint32(start + 12, true),
    maxRequestBytes: view.getUint32(start + 16, true),
    maxRequestItems: view.getUint32(start + 20, true),
    maxResponseBytes: view.getUint32(start + 24, true),
    maxResponseItems: view.getUint32(start + 28, true),
    packetSize: view.getUint32(start + 32, true),
    sessionId: view.getBigUint64(start + 40, true),
  };
}

/** Writes a HELLO_ACK and returns its length. */
export function encodeHelloAck({ view, start, length }: Span, ack: HelloAck): number {
  require(length >= HELLO_ACK_BYTES, "overflow", "HELLO_ACK");
  view.setUint16(start, LAYOUT_VERSION, true);
  view.setUint16(start + 2, 0, true);
  view.setUint32(start + 4, ack.supportedProfiles, true);
  view.setUint32(start + 8, ack.intersectionProfiles, true);
  view.setUint32(start + 12, ack.selectedProfile, true);
  view.setUint32(start + 16, ack.maxRequestBytes, true);
  view.setUint32(start + 20, ack.maxRequestItems, true);
  view.setUint32(start + 24, ack.maxResponseBytes, true);
  view.setUint32(start + 28, ack.maxResponseItems, true);
  view.setUint32(start + 32, ack.packetSize, true);
  view.setUint32(start + 36, 0, true);
  view.setBigUint64(start + 40, ack.sessionId, true);
  return HELLO_ACK_BYTES;
}
