/**
 * A producer of numbered changes in a process of its own, which may be killed:
 * `numbers_main.ts WAY NAME FROM TO LIFE`. After each answer it prints the number to go on with.
 *
 * @module
 */
import { nativeLibrary } from "./native.ts";
import { BATCH, batchFrom, WAYS } from "./numbers.ts";

const [word = "", name = "", from = "0", to = "0", life = "0"] = Deno.args;
const way = Object.entries(WAYS).find(([key]) => key === word)?.[1];
if (way === undefined) throw new Error(`What is ${word}?`);
await using producer = way.open(await nativeLibrary(), name);
for (let first = Number(from); first < Number(to); first += BATCH) {
  await producer.publish(batchFrom(first, Number(to), Number(life)));
  Deno.stdout.writeSync(new TextEncoder().encode(`${Math.min(first + BATCH, Number(to))}\n`));
}
