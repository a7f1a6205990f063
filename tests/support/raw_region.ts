/**
 * A region of shared memory that is written as a file, byte by byte and without waking anybody:
 * for regions and messages that no library makes.
 *
 * @module
 */
import { NATIVE_TEST_FOLDER } from "./native.ts";

/** What can be wrong with a region's header. */
export interface RegionShape {
  readonly magic?: number;
  readonly version?: number;
  readonly headerLength?: number;
  readonly requestOffset?: number;
  readonly requestCapacity?: number;
  readonly responseOffset?: number;
  readonly responseCapacity?: number;
  /** Bytes of the file; default what the areas need. */
  readonly size?: number;
}

const AREA = 4160;

/** Where the region of a session is. */
export function regionPathOf(service: string, sessionId: number): string {
  return `${NATIVE_TEST_FOLDER}/${service}-${sessionId.toString(16).padStart(16, "0")}.ipcshm`;
}

/** The bytes of a fresh region, owned by this process. */
export function regionBytes(shape: RegionShape = {}): Uint8Array<ArrayBuffer> {
  const { requestOffset = 64, requestCapacity = AREA, responseCapacity = AREA } = shape;
  const { responseOffset = 64 + AREA } = shape;
  const bytes = new Uint8Array(shape.size ?? 64 + 2 * AREA);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, shape.magic ?? 0x4e53484d, true);
  view.setUint16(4, shape.version ?? 3, true);
  view.setUint16(6, shape.headerLength ?? 64, true);
  view.setInt32(8, Deno.pid, true);
  view.setUint32(12, 1, true);
  for (
    const [i, value] of [requestOffset, requestCapacity, responseOffset, responseCapacity].entries()
  ) view.setUint32(16 + 4 * i, value, true);
  return bytes;
}

/** One side of a region that exists. */
export class RawRegion implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #side: { readonly area: number; readonly sequence: number; readonly length: number };
  /** What the header says. */
  readonly header: DataView<ArrayBuffer>;

  constructor(path: string, role: "server" | "client") {
    this.#file = Deno.openSync(path, { read: true, write: true });
    this.header = new DataView(this.#read(0, 64).buffer);
    this.#side = role === "client"
      ? { area: this.header.getUint32(16, true), sequence: 32, length: 48 }
      : { area: this.header.getUint32(24, true), sequence: 40, length: 52 };
  }

  /** Publishes a message as number `sequence`, with any length. */
  publish(message: Uint8Array, sequence: number, length: number = message.length): void {
    const { area, sequence: sequenceAt, length: lengthAt } = this.#side;
    this.#write(area, message);
    this.#write(lengthAt, new Uint8Array(Uint32Array.of(length).buffer));
    this.#write(sequenceAt, new Uint8Array(BigUint64Array.of(BigInt(sequence)).buffer));
  }

  /** How many messages the other side has published. */
  heard(): number {
    const at = this.#side.sequence === 32 ? 40 : 32;
    return Number(new DataView(this.#read(at, 8).buffer).getBigUint64(0, true));
  }

  /** The last message of the other side. */
  message(): Uint8Array<ArrayBuffer> {
    const isClient = this.#side.sequence === 32;
    const length = new DataView(this.#read(isClient ? 52 : 48, 4).buffer).getUint32(0, true);
    return this.#read(this.header.getUint32(isClient ? 24 : 16, true), length);
  }

  /** Forgets the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  #read(at: number, length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    this.#file.seekSync(at, Deno.SeekMode.Start);
    this.#file.readSync(bytes);
    return bytes;
  }

  #write(at: number, bytes: Uint8Array): void {
    this.#file.seekSync(at, Deno.SeekMode.Start);
    this.#file.writeSync(bytes);
  }
}
