/**
 * Cuts a buffer of link records into batches at the marks of the decoder.
 *
 * @module
 */
import type { Batch, Change, Mark } from "../../core/change.ts";
import {
  LINK_WORD,
  LINK_WORDS,
  PS_DUMP_BEGIN,
  PS_DUMP_END,
  PS_DUMP_FAILED,
  PS_DUMP_INTERRUPTED,
  PS_LOST,
} from "../../../ffi/records.gen.ts";
import type { RecordView } from "../../../ffi/texts.ts";
import { type LinkTable, timeOf } from "./link_table.ts";

/** Told what the decoder's marks said, in their order. */
export interface MarkListener {
  /** A complete dump has ended. */
  dumped?(): void;
  /** A dump was interrupted (`errno` 0) or failed. */
  interrupted?(errno: number): void;
  /** Events were lost; `reason` is one of the library's `PS_LOSS_` values. */
  lost?(reason: number): void;
}

/** Turns records into batches, with the marks that a pipeline knows. */
export class LinkBatches {
  readonly #table: LinkTable;
  readonly #listener: MarkListener;

  constructor(table: LinkTable, listener: MarkListener = {}) {
    this.#table = table;
    this.#listener = listener;
  }

  /**
   * Reads `count` records. A `dump-begin` and a `lost` begin a batch, a `dump-end` ends one; a
   * dump that was interrupted simply stops, and another `dump-begin` will come.
   */
  read(view: RecordView, count: number): Batch[] {
    const batches: Batch[] = [];
    let changes: Change[] = [];
    let mark: Mark | undefined;
    const flush = (next?: Mark) => {
      if (mark !== undefined) batches.push({ changes, mark });
      else if (changes.length > 0) batches.push({ changes });
      changes = [];
      mark = next;
    };
    for (let index = 0; index < count; index++) {
      const word = index * LINK_WORDS;
      const type = view.words[word] ?? 0;
      if (type < PS_DUMP_BEGIN) {
        this.#table.apply(view, word, changes);
        continue;
      }
      const value = view.words[word + LINK_WORD.value] ?? 0;
      switch (type) {
        case PS_DUMP_BEGIN:
          flush("dump-begin");
          this.#table.beginDump();
          break;
        case PS_DUMP_END:
          // One mark a batch: what follows dump-begin stands apart from the end.
          if (mark !== undefined) flush();
          this.#table.endDump(timeOf(view.words, word), changes);
          mark = "dump-end";
          flush();
          this.#listener.dumped?.();
          break;
        case PS_DUMP_INTERRUPTED:
        case PS_DUMP_FAILED:
          this.#table.breakDump();
          this.#listener.interrupted?.(value);
          break;
        case PS_LOST:
          flush("lost");
          this.#listener.lost?.(value);
          break;
      }
    }
    flush();
    return batches;
  }
}
