/**
 * Exports of the native library that change links of the kernel; `c/include/ps_linkset.h` says
 * what they do.
 *
 * @module
 */

/** For `Deno.dlopen`. */
export const linksetSymbols = {
  ps_ls_open: {
    parameters: [
      "buffer", // const uint8_t *netns
      "u32", // uint32_t netns_size
    ],
    result: "i32",
  },
  ps_ls_apply: {
    parameters: [
      "i32", // int32_t handle
      "buffer", // const uint8_t *changes
      "u32", // uint32_t count
      "buffer", // uint8_t *ret_answers
    ],
    result: "i32",
    nonblocking: true,
  },
  ps_ls_close: { parameters: ["i32"], result: "i32" }, // int32_t handle
} as const satisfies Deno.ForeignLibraryInterface;
