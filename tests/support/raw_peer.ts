/**
 * A netipc peer that sends and hears any bytes, `c/tests/peer/raw.c`, and packets written by hand.
 *
 * @module
 */
import { decodeHeader, encodeHeader, type Header } from "../../src/netipc/codec/header.ts";
import { decodeHello, encodeHello, encodeHelloAck } from "../../src/netipc/codec/hello.ts";
import { type Hello, HELLO_ACK_BYTES, HELLO_BYTES } from "../../src/netipc/codec/hello.ts";
import type { HelloAck } from "../../src/netipc/codec/hello.ts";
import { spanOf } from "../../src/netipc/codec/span.ts";
import { buildProgram } from "./build_c.ts";
import { NATIVE_TEST_FOLDER } from "./native.ts";
import { PEER_TOKEN } from "./peers.ts";

/** What a peer tells: a packet, or that a connection begins or was ended by the other side. */
export type Heard = Uint8Array<ArrayBuffer> | "READY" | "open" | "end";

/** A peer that says what it is told. */
export class RawPeer implements AsyncDisposable {
  /** The name of the service whose part it plays. */
  readonly service: string;
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #lines: AsyncIterator<string>;

  /** Not for callers: use {@linkcode startRawPeer}. */
  constructor(service: string, process: Deno.ChildProcess) {
    this.service = service;
    this.#process = process;
    this.#writer = process.stdin.getWriter();
    this.#lines = linesOf(process.stdout);
  }

  /** Sends packets. */
  async send(...packets: readonly Uint8Array[]): Promise<void> {
    const text = packets.map((packet) => `${packet.toHex()}\n`).join("");
    await this.#writer.write(new TextEncoder().encode(text));
  }

  /** Ends the connection. */
  async hangUp(): Promise<void> {
    await this.#writer.write(new TextEncoder().encode("close\n"));
  }

  /** The next packet or event. */
  async next(): Promise<Heard> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error("The raw peer has ended");
    const isWord = value === "READY" || value === "open" || value === "end";
    return isWord ? value : Uint8Array.fromHex(value);
  }

  /** The next packet. */
  async packet(): Promise<Uint8Array<ArrayBuffer>> {
    const heard = await this.next();
    if (typeof heard === "string") throw new Error(`There is no packet but ${heard}`);
    return heard;
  }

  /** Takes the next client and agrees with it; what it offered. */
  async agree(change: Partial<HelloAck> = {}): Promise<Hello> {
    let heard = await this.next();
    // The last client may have gone, or was hung up on.
    if (heard === "end") heard = await this.next();
    if (heard !== "open") throw new Error("There is no new client");
    const offer = decodeHello({ ...spanOf(await this.packet()), start: 32, length: HELLO_BYTES });
    await this.send(helloAck(change));
    return offer;
  }

  /** Answers the next request as `change` has it; what was asked. */
  async answer(change: Partial<Header>, payload?: Uint8Array): Promise<Header> {
    const asked = decodeHeader(spanOf(await this.packet()));
    const { code, messageId } = asked;
    await this.send(packet({ kind: 2, code, messageId, ...change }, payload));
    return asked;
  }

  /** Ends the peer and removes its socket. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    await this.#process.status;
    await this.#lines.return?.();
  }
}

/** Starts a peer that listens for our clients, or connects to our server. */
export async function startRawPeer(service: string, role: "listen" | "connect"): Promise<RawPeer> {
  const args = [NATIVE_TEST_FOLDER, service, role];
  const program = await buildProgram("c/tests/peer/raw.c");
  const process = new Deno.Command(program, {
    ...{ args, stdin: "piped", stdout: "piped", stderr: "inherit" },
  }).spawn();
  const peer = new RawPeer(service, process);
  await peer.next();
  return peer;
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    const lines = (text + decoder.decode(chunk, { stream: true })).split("\n");
    text = lines.pop() ?? "";
    yield* lines;
  }
}

/** A packet with an outer header; `payloadLength` is the payload's unless it is given. */
export function packet(
  header: Partial<Header>,
  payload: Uint8Array = new Uint8Array(),
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(32 + payload.length);
  encodeHeader(new DataView(bytes.buffer), 0, {
    ...{ kind: 1, flags: 0, code: 1, status: 0, payloadLength: payload.length },
    ...{ itemCount: 1, messageId: 1n },
    ...header,
  });
  bytes.set(payload, 32);
  return bytes;
}

/** A continuation of a message. */
export function chunk(
  fields: {
    readonly messageId: bigint;
    readonly total: number;
    readonly index: number;
    readonly count: number;
    readonly length?: number;
    readonly flags?: number;
    readonly version?: number;
    readonly magic?: number;
  },
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(32 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, fields.magic ?? 0x4e43484b, true);
  view.setUint16(4, fields.version ?? 1, true);
  view.setUint16(6, fields.flags ?? 0, true);
  view.setBigUint64(8, fields.messageId, true);
  view.setUint32(16, fields.total, true);
  view.setUint32(20, fields.index, true);
  view.setUint32(24, fields.count, true);
  view.setUint32(28, fields.length ?? payload.length, true);
  bytes.set(payload, 32);
  return bytes;
}

/** A HELLO that our servers take. */
export function hello(
  change: Partial<Hello> = {},
  header: Partial<Header> = {},
): Uint8Array<ArrayBuffer> {
  const payload = spanOf(new Uint8Array(HELLO_BYTES));
  encodeHello(payload, {
    ...{ flags: 0, supportedProfiles: 1, preferredProfiles: 1 },
    ...{ maxRequestBytes: 65536, maxRequestItems: 16 },
    ...{ maxResponseBytes: 65536, maxResponseItems: 16 },
    ...{ authToken: PEER_TOKEN, packetSize: 65536 },
    ...change,
  });
  return packet({ kind: 3, code: 1, messageId: 0n, ...header }, payload.bytes);
}

/** A HELLO_ACK that our clients take. */
export function helloAck(
  change: Partial<HelloAck> = {},
  header: Partial<Header> = {},
): Uint8Array<ArrayBuffer> {
  const payload = spanOf(new Uint8Array(HELLO_ACK_BYTES));
  encodeHelloAck(payload, {
    ...{ supportedProfiles: 1, intersectionProfiles: 1, selectedProfile: 1 },
    ...{ maxRequestBytes: 1024, maxRequestItems: 1 },
    ...{ maxResponseBytes: 1024, maxResponseItems: 1 },
    ...{ packetSize: 65536, sessionId: 1n },
    ...change,
  });
  return packet({ kind: 3, code: 2, messageId: 0n, ...header }, payload.bytes);
}

/** A copy of a packet with some bytes changed: `[at, byte]`. */
export function damaged(
  bytes: Uint8Array,
  ...changes: readonly (readonly [at: number, byte: number])[]
): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  for (const [at, byte] of changes) copy[at] = byte;
  return copy;
}
