/**
 * Link records made by hand, as the native library would fill them in.
 *
 * @module
 */
import {
  LINK_BYTE,
  LINK_BYTES,
  LINK_WORD,
  LINK_WORDS,
  PS_LINK_SET,
} from "../../ffi/records.gen.ts";
import type { RecordView } from "../../ffi/texts.ts";

/** What a test wants to say of one record; the rest is as a plain Ethernet link that is up. */
export interface RecordWish {
  readonly type?: number;
  readonly ifindex?: number;
  /** Text, or the very bytes. */
  readonly name?: string | Uint8Array;
  readonly flags?: number;
  readonly mtu?: number;
  readonly master?: number;
  readonly carrier?: number;
  readonly operstate?: number;
  readonly kind?: string;
  readonly mac?: readonly number[];
  readonly value?: number;
  /** Milliseconds since the epoch. */
  readonly time?: number;
}

/** IFF_UP and IFF_RUNNING. */
export const UP_AND_RUNNING = 0x41;

/** A buffer that holds these records. */
export function linkRecords(...wishes: readonly RecordWish[]): RecordView {
  const buffer = new ArrayBuffer(wishes.length * LINK_BYTES);
  const view = { words: new Uint32Array(buffer), bytes: new Uint8Array(buffer) };
  wishes.forEach((wish, index) => write(view, index * LINK_WORDS, wish));
  return view;
}

function write({ words, bytes }: RecordView, word: number, wish: RecordWish): void {
  const { time = 1000 } = wish;
  const byte = word * 4;
  const name = toBytes(wish.name ?? "");
  const kind = toBytes(wish.kind ?? "");
  const mac = wish.mac ?? [];
  words[word + LINK_WORD.type] = wish.type ?? PS_LINK_SET;
  words[word + LINK_WORD.ifindex] = wish.ifindex ?? 0;
  words[word + LINK_WORD.flags] = wish.flags ?? UP_AND_RUNNING;
  words[word + LINK_WORD.mtu] = wish.mtu ?? 1500;
  words[word + LINK_WORD.master] = wish.master ?? 0;
  words[word + LINK_WORD.value] = wish.value ?? 0;
  words[word + LINK_WORD.seconds] = Math.floor(time / 1000);
  words[word + LINK_WORD.nanoseconds] = Math.round((time % 1000) * 1e6);
  bytes[byte + LINK_BYTE.operstate] = wish.operstate ?? 6;
  bytes[byte + LINK_BYTE.carrier] = wish.carrier ?? 1;
  bytes[byte + LINK_BYTE.nameSize] = name.length;
  bytes[byte + LINK_BYTE.kindSize] = kind.length;
  bytes[byte + LINK_BYTE.macSize] = mac.length;
  bytes.set(name, byte + LINK_WORD.name * 4);
  bytes.set(kind, byte + LINK_WORD.kind * 4);
  bytes.set(mac, byte + LINK_BYTE.mac);
}

function toBytes(text: string | Uint8Array): Uint8Array {
  return typeof text === "string" ? new TextEncoder().encode(text) : text;
}
