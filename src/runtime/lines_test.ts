import assert from "node:assert/strict";
import fc from "fast-check";
import { LineSplitter, LineTooLongError, LineWriter } from "./lines.ts";

const encoder = new TextEncoder();

Deno.test("LineSplitter gives the same lines however the bytes are cut", () => {
  fc.assert(fc.property(
    fc.array(fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\n", ""))),
    fc.array(fc.nat(7), { minLength: 1 }),
    (lines, cuts) => {
      const bytes = encoder.encode(lines.map((line) => line + "\n").join(""));
      const splitter = new LineSplitter(1000);
      const found: string[] = [];
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const size = (cuts[turn % cuts.length] ?? 0) + 1;
        found.push(...splitter.push(bytes.subarray(at, at + size)));
        at += size;
      }
      // A byte order mark at the start of a line is taken for one; JSON has none.
      assert.deepEqual(found, lines.map((line) => line.replace(/^\ufeff/, "")));
    },
  ));
});

Deno.test("LineSplitter refuses a line that is too long, complete or not", () => {
  for (const text of ["x".repeat(11), "x".repeat(11) + "\n"]) {
    assert.throws(() => new LineSplitter(10).push(encoder.encode(text)), LineTooLongError);
  }
  const splitter = new LineSplitter(10);
  splitter.push(encoder.encode("x".repeat(10)));
  assert.throws(() => splitter.push(encoder.encode("x")), LineTooLongError);
});

class SlowSink {
  written = "";
  #release: (() => void) | undefined;

  async write(bytes: Uint8Array): Promise<number> {
    await new Promise<void>((resolve) => this.#release = resolve);
    const taken = bytes.subarray(0, 5);
    this.written += new TextDecoder().decode(taken);
    return taken.length;
  }

  async release(turns: number): Promise<void> {
    for (let turn = 0; turn < turns; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.#release?.();
    }
  }
}

Deno.test("LineWriter writes in order, also when the sink takes a few bytes at a time", async () => {
  const sink = new SlowSink();
  const writer = new LineWriter(sink);
  for (const number of [1, 22, 333]) assert.ok(writer.send({ number }));
  await Promise.all([writer.flush(), sink.release(12)]);
  assert.equal(sink.written, '{"number":1}\n{"number":22}\n{"number":333}\n');
});

Deno.test("LineWriter leaves messages out when its reader is slow, and counts them", async () => {
  const sink = new SlowSink();
  const writer = new LineWriter(sink, 10);
  assert.equal(writer.send("1234"), true);
  assert.equal(writer.send("too long for the rest"), false);
  assert.equal(writer.dropped, 1);
  await Promise.all([writer.flush(), sink.release(3)]);
  assert.equal(sink.written, '"1234"\n');
});

Deno.test("LineWriter gives up quietly when its reader is gone", async () => {
  const writer = new LineWriter({ write: () => Promise.reject(new Deno.errors.BrokenPipe()) });
  writer.send(1);
  await writer.flush();
  assert.equal(writer.send(2), false);
});
