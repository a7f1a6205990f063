/**
 * Makes `examples/links.psnl`, the recording of `examples/replay.yaml`, from real links in a network
 * namespace of its own. Needs root and iproute2.
 *
 * ```sh
 * deno run -A tools/record_example.ts
 * ```
 *
 * @module
 */
import { recordLinks } from "../src/sources/netlink/recorder.ts";
import { nativeLibrary } from "../tests/support/native.ts";
import { createNetns } from "../tests/support/netns.ts";

/** What happens to Ethernet0, Ethernet4, Ethernet8 and Ethernet12 while it is recorded. */
const STORY = [
  "link set Ethernet0 up",
  "link set Ethernet4 up",
  "link set Ethernet4 mtu 9100",
  "link set Ethernet8 name Ethernet16",
  "link del Ethernet12",
  "link set Ethernet0 down",
];

/** The pause between two events, so that playing at the recorded pace shows something. */
const PAUSE_MS = 500;

if (import.meta.main) {
  const library = await nativeLibrary();
  const path = new URL("../examples/links.psnl", import.meta.url).pathname;
  await using netns = await createNetns();
  await netns.addLinks(4);
  using sink = await Deno.open(path, { write: true, create: true, truncate: true });
  const stop = new AbortController();
  const recorded = recordLinks({ library, namespace: netns.name, sink, signal: stop.signal });
  for (const line of STORY) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    await netns.batch([line]);
  }
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  stop.abort();
  const { frames, bytes } = await recorded;
  console.log(`${path}: ${frames} frames, ${bytes} bytes`);
}
