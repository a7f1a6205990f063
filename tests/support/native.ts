/**
 * The native library for tests, built if it has to be.
 *
 * @module
 */
import { sealNative } from "../../ffi/load.ts";
import { build } from "../../tools/build.ts";

/** The folder for sockets and files of tests that the native library opens. */
export const NATIVE_TEST_FOLDER = "/tmp/portsync-tests";

/**
 * Builds the library if necessary and seals it for tests. The seal holds for the whole process,
 * and tests of many files share one, so all of them have the same list.
 *
 * @returns the library's absolute path
 */
export async function nativeLibrary(): Promise<string> {
  const { path } = await build();
  await Deno.mkdir(NATIVE_TEST_FOLDER, { recursive: true });
  sealNative(path, ["/run/netns/", `${NATIVE_TEST_FOLDER}/`]);
  return path;
}
