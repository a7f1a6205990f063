/**
 * Loading the native library: the only place that calls `Deno.dlopen`.
 *
 * @module
 */
import { StopError } from "../src/core/errors.ts";
import { nativeError } from "./errors.ts";
import { ABI, LAYOUT } from "./records.gen.ts";
import { commonSymbols } from "./symbols_common.ts";

const EPROTO = 71;
const EALREADY = 114;

/** Libraries that were found to be of our version. */
const checked = new Set<string>();

/** A loaded library; whoever opened it closes it, after its last call has returned. */
export type NativeLibrary<S extends Deno.ForeignLibraryInterface> = Deno.DynamicLibrary<S>;

/**
 * Loads the native library with the symbols of one part of it, and checks from both sides that it
 * was built for these readers. If nothing sealed the library yet, it is sealed here without any
 * path.
 *
 * @param path absolute path of the library
 * @throws {StopError} when it is missing, not permitted, or of another version
 */
export function openNative<const S extends Deno.ForeignLibraryInterface>(
  path: string,
  symbols: S,
): NativeLibrary<S> {
  if (!checked.has(path)) initialise(path, null);
  return load(path, symbols);
}

/**
 * Gives the native library the paths that it may open, once and for all. To be called before any
 * other module loads it. A path that ends in a slash stands for what is directly inside that
 * folder.
 *
 * @param path absolute path of the library
 * @param paths absolute paths without `.`, `..` and symbolic links
 * @throws {StopError} also when it was sealed with other paths before
 */
export function sealNative(path: string, paths: readonly string[]): void {
  initialise(path, new TextEncoder().encode(paths.map((entry) => `${entry}\0`).join("")));
}

function initialise(path: string, paths: Uint8Array<ArrayBuffer> | null): void {
  const library = load(path, commonSymbols);
  try {
    const { ps_abi, ps_init, ps_layout } = library.symbols;
    const layout = new Uint32Array(LAYOUT);
    const found = new Uint32Array(LAYOUT.length);
    // Both look: an old library does not know what to compare, and we might not either.
    if (
      ps_abi() !== ABI || ps_layout(found, found.length) !== layout.length ||
      layout.some((word, index) => found[index] !== word)
    ) throw otherVersion(path);
    const result = ps_init(ABI, layout, layout.length, paths, paths?.length ?? 0);
    if (result === -EPROTO) throw otherVersion(path);
    if (result === -EALREADY) {
      throw new StopError(
        `The native library ${path} was sealed with other paths before, so it may not be given these`,
      );
    }
    if (result < 0) throw nativeError(-result, `seal the native library ${path}`);
    checked.add(path);
  } finally {
    library.close();
  }
}

function load<const S extends Deno.ForeignLibraryInterface>(
  path: string,
  symbols: S,
): NativeLibrary<S> {
  if (!path.startsWith("/")) {
    throw new StopError(`The native library needs an absolute path, and not ${path}`);
  }
  try {
    return Deno.dlopen(path, symbols);
  } catch (cause) {
    throw new StopError(explain(path, cause), { cause });
  }
}

/** Why a library does not load, and which flag or command mends it. */
function explain(path: string, error: unknown): string {
  if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.PermissionDenied) {
    return `Deno may not load the native library; start it with --allow-ffi=${path}`;
  }
  const reason = error instanceof Error ? error.message : String(error);
  if (/no such file/i.test(reason)) {
    return `The native library ${path} is not there; build it with: deno task build`;
  }
  if (/register symbol|undefined symbol/i.test(reason)) return otherVersion(path).message;
  return `The native library ${path} cannot be loaded: ${reason}`;
}

function otherVersion(path: string): StopError {
  return new StopError(
    `The native library ${path} belongs to another version of portsync; ` +
      "build it again with: deno task build",
  );
}
