/**
 * Exports of the native library that every part of it needs; `c/include/ps_common.h` says what
 * they do.
 *
 * @module
 */

/** For `Deno.dlopen`. */
export const commonSymbols = {
  ps_abi: { parameters: [], result: "i32" },
  ps_layout: {
    parameters: [
      "buffer", // uint32_t *ret_words
      "u32", // uint32_t capacity
    ],
    result: "i32",
  },
  ps_init: {
    parameters: [
      "u32", // uint32_t abi
      "buffer", // const uint32_t *layout
      "u32", // uint32_t layout_words
      "buffer", // const uint8_t *paths
      "u32", // uint32_t paths_size
    ],
    result: "i32",
  },
  ps_path_check: {
    parameters: [
      "buffer", // const uint8_t *path
      "u32", // uint32_t path_size
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;
