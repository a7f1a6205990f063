/**
 * Changes of the kernel's links: admin state, MTU, master.
 *
 * @module
 */
import { RejectError, type RetryLaterError, type StopError } from "../src/core/errors.ts";
import { nativeError, unwrap } from "./errors.ts";
import { type NativeLibrary, openNative } from "./load.ts";
import {
  LINK_ANSWER_BYTES,
  LINK_ANSWER_WORDS,
  LINK_CHANGE_BYTE,
  LINK_CHANGE_BYTES,
  LINK_CHANGE_WORD,
  LINK_CHANGE_WORDS,
  PS_SET_ADMIN,
  PS_SET_MASTER,
  PS_SET_MTU,
  readLinkAnswer,
} from "./records.gen.ts";
import { linksetSymbols } from "./symbols_linkset.ts";
import { readText, type RecordView } from "./texts.ts";

/** Changes that go to the kernel in one call. */
const BATCH_CHANGES = 64;
const LONGEST_NAME = 15;
const EBADF = 9;

/** A change of one link; what is left out stays as it is. */
export interface LinkWish {
  /** Its ifindex, or its name. */
  readonly link: number | string;
  readonly up?: boolean;
  /** Bytes. */
  readonly mtu?: number;
  /** Index of the bridge to join, 0 to leave. */
  readonly master?: number;
}

/** Why a change was not made: to try again later, to give up, or one that no kernel would take. */
export type LinkComplaint = RetryLaterError | StopError | RejectError;

type Library = NativeLibrary<typeof linksetSymbols>;

const forgotten = new FinalizationRegistry<{ library: Library; handle: number }>(
  ({ library, handle }) => {
    library.symbols.ps_ls_close(handle);
    library.close();
  },
);

/**
 * A socket that changes links in one network namespace. Calls that overlap are made one after the
 * other, in their order.
 *
 * @example
 * ```ts ignore
 * await using setter = new LinkSetter({ library });
 * const [complaint] = await setter.apply([{ link: "Ethernet0", up: true, mtu: 9100 }]);
 * ```
 */
export class LinkSetter implements AsyncDisposable {
  readonly #library: Library;
  readonly #handle: number;
  readonly #changes = newView(BATCH_CHANGES * LINK_CHANGE_BYTES);
  readonly #answers = newView(BATCH_CHANGES * LINK_ANSWER_BYTES);
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  /**
   * @param options.library absolute path of the native library
   * @param options.namespace sealed path of a network namespace; default the process's own
   * @throws {StopError | RetryLaterError}
   */
  constructor(options: { readonly library: string; readonly namespace?: string | undefined }) {
    this.#library = openNative(options.library, linksetSymbols);
    const path = new TextEncoder().encode(options.namespace ?? "");
    const handle = this.#library.symbols.ps_ls_open(path, path.length);
    if (handle < 0) {
      this.#library.close();
      throw nativeError(-handle, "open a socket to change links");
    }
    this.#handle = handle;
    forgotten.register(this, { library: this.#library, handle }, this);
  }

  /**
   * Makes changes in their order, however many; one that fails keeps no other from being made.
   *
   * @returns for each change what the kernel had against it, with a `NativeError` that has its own
   * words as the `cause`, or `undefined`
   */
  apply(wishes: readonly LinkWish[]): Promise<(LinkComplaint | undefined)[]> {
    const result = this.#last.then(() => this.#apply(wishes));
    this.#last = result.catch(() => {});
    return result;
  }

  /** Waits for the calls that were made, then closes. */
  async close(): Promise<void> {
    await this.#last;
    if (this.#closed) return;
    this.#closed = true;
    forgotten.unregister(this);
    unwrap(this.#library.symbols.ps_ls_close(this.#handle), "close a socket to change links");
    this.#library.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #apply(wishes: readonly LinkWish[]): Promise<(LinkComplaint | undefined)[]> {
    if (this.#closed) throw nativeError(EBADF, "change links");
    const complaints: (LinkComplaint | undefined)[] = wishes.map(checkWish);
    const sound = wishes.flatMap((_, index) => complaints[index] === undefined ? [index] : []);
    for (let at = 0; at < sound.length; at += BATCH_CHANGES) {
      const batch = sound.slice(at, at + BATCH_CHANGES);
      batch.forEach((index, place) => write(this.#changes, place, wishes[index]));
      const { ps_ls_apply } = this.#library.symbols;
      const { bytes } = this.#changes;
      unwrap(
        await ps_ls_apply(this.#handle, bytes, batch.length, this.#answers.bytes),
        "change links",
      );
      batch.forEach((index, place) => {
        complaints[index] = readComplaint(this.#answers, place, wishes[index]);
      });
    }
    return complaints;
  }
}

function newView(size: number): RecordView & { readonly bytes: Uint8Array<ArrayBuffer> } {
  const buffer = new ArrayBuffer(size);
  return { words: new Uint32Array(buffer), bytes: new Uint8Array(buffer) };
}

/** What no kernel would take, so that one bad wish does not spoil the call for the others. */
function checkWish({ link, up, mtu, master }: LinkWish): RejectError | undefined {
  const isWord = (value: number, least: number) =>
    Number.isInteger(value) && value >= least && value <= 0x7fff_ffff;
  if (typeof link === "number" ? !isWord(link, 1) : !isName(link)) {
    return new RejectError(`There can be no link ${JSON.stringify(link)}`);
  }
  if (mtu !== undefined && !isWord(mtu, 0)) return new RejectError(`${link}: no MTU: ${mtu}`);
  if (master !== undefined && !isWord(master, 0)) {
    return new RejectError(`${link}: no index of a master: ${master}`);
  }
  if (up === undefined && mtu === undefined && master === undefined) {
    return new RejectError(`${link}: nothing to change`);
  }
  return undefined;
}

function isName(name: string): boolean {
  const size = new TextEncoder().encode(name).length;
  return size > 0 && size <= LONGEST_NAME && !name.includes("\0");
}

function write({ words, bytes }: RecordView, place: number, wish: LinkWish | undefined): void {
  if (wish === undefined) return;
  const { link, up, mtu, master } = wish;
  const word = place * LINK_CHANGE_WORDS;
  const byte = place * LINK_CHANGE_BYTES;
  bytes.fill(0, byte, byte + LINK_CHANGE_BYTES);
  words[word + LINK_CHANGE_WORD.set] = (up === undefined ? 0 : PS_SET_ADMIN) |
    (mtu === undefined ? 0 : PS_SET_MTU) | (master === undefined ? 0 : PS_SET_MASTER);
  words[word + LINK_CHANGE_WORD.up] = up ? 1 : 0;
  words[word + LINK_CHANGE_WORD.mtu] = mtu ?? 0;
  words[word + LINK_CHANGE_WORD.master] = master ?? 0;
  if (typeof link === "number") {
    words[word + LINK_CHANGE_WORD.ifindex] = link;
  } else {
    const name = new TextEncoder().encode(link);
    bytes[byte + LINK_CHANGE_BYTE.nameSize] = name.length;
    bytes.set(name, byte + LINK_CHANGE_WORD.name * 4);
  }
}

function readComplaint(
  view: RecordView,
  place: number,
  wish: LinkWish | undefined,
): RetryLaterError | StopError | undefined {
  const { error, words } = readLinkAnswer(view, place * LINK_ANSWER_WORDS);
  if (error === 0) return undefined;
  return nativeError(error, `change the link ${wish?.link}`, readText(words).text);
}
