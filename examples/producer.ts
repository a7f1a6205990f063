/**
 * Sends numbered changes to a pipeline: over a socket, through shared memory, or through a ring.
 *
 * ```sh
 * deno run --allow-ffi=build/libportsync.so examples/producer.ts uds /run/portsync ports 1000
 * deno run --allow-ffi=build/libportsync.so examples/producer.ts shm /run/portsync ports 1000
 * deno run --allow-ffi=build/libportsync.so examples/producer.ts ring /run/portsync/ports.ring 1000
 * ```
 *
 * Ends when everything was answered, or written (ring); while the pipeline is away it waits. After
 * each batch it prints the number to go on with: as a last argument it makes a new process go on
 * where one that was killed had come to. `producer.c` is the same in C.
 *
 * @module
 */
import {
  type Change,
  ChangeProducer,
  type Receipt,
  RingChangeProducer,
  sealNative,
} from "../src/netipc/mod.ts";

const KEYS = 64;
const BATCH = 256;

/** What is needed of either producer; one has no receipts to give. */
interface Producer extends AsyncDisposable {
  publish(batch: { readonly changes: readonly Change[] }): Promise<Receipt[] | void>;
}

const library = new URL("../build/libportsync.so", import.meta.url).pathname;

/** The producer of the command line, and the numbers behind it. */
function open(args: readonly string[]): { producer: Producer; numbers: readonly string[] } {
  const [way, place = "", service = ""] = args;
  if (way === "ring" && args.length >= 3) {
    sealNative(library, [place]);
    const producer = new RingChangeProducer({ library, path: place });
    return { producer, numbers: args.slice(2) };
  }
  if ((way === "uds" || way === "shm") && args.length >= 4) {
    sealNative(library, [`${place}/`]);
    let isSaid = false;
    const onRetry = ({ message }: Error) => {
      if (!isSaid) console.error(`${message}; trying again until it works`);
      isSaid = true;
    };
    const producer = new ChangeProducer({ library, runDir: place, service, profile: way, onRetry });
    return { producer, numbers: args.slice(3) };
  }
  console.error("producer.ts uds|shm RUN_DIR SERVICE COUNT [FROM]");
  console.error("producer.ts ring FILE COUNT [FROM]");
  Deno.exit(64);
}

function batchOf(from: number, to: number): { readonly changes: readonly Change[] } {
  const changes: Change[] = [];
  for (let number = from; number < to; number++) {
    changes.push({
      op: "set",
      table: "NUMBER_TABLE",
      key: `Ethernet${number % KEYS}`,
      fields: { number: `${number}` },
      time: Date.now(),
    });
  }
  return { changes };
}

const { producer: opened, numbers: [count, from] } = open(Deno.args);
await using producer = opened;
for (let number = Number(from ?? 0); number < Number(count);) {
  const next = Math.min(number + BATCH, Number(count));
  const receipts = await producer.publish(batchOf(number, next)) ?? [];
  const refused = receipts.find(({ outcome }) => outcome === "rejected");
  if (refused?.outcome === "rejected") throw refused.error;
  console.log(number = next);
}
