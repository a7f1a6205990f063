/**
 * Exports of the native library for rings; `c/include/ps_ring.h` says what they do.
 *
 * @module
 */

/** For `Deno.dlopen`. */
export const ringSymbols = {
  ps_ring_open: {
    parameters: [
      "buffer", // const uint8_t *path
      "u32", // uint32_t path_size
      "u32", // uint32_t capacity
      "u32", // uint32_t role
    ],
    result: "i32",
  },
  ps_ring_push: {
    parameters: [
      "i32", // int32_t handle
      "buffer", // const uint8_t *frames
      "u32", // uint32_t length
    ],
    result: "i32",
  },
  ps_ring_poll: {
    parameters: [
      "i32", // int32_t handle
      "buffer", // uint8_t *data
      "u32", // uint32_t size
      "u32", // uint32_t spin_us
    ],
    result: "i32",
  },
  ps_ring_commit: {
    parameters: [
      "i32", // int32_t handle
      "u32", // uint32_t bytes
      "u32", // uint32_t frames
    ],
    result: "i32",
  },
  ps_ring_wait: {
    parameters: [
      "i32", // int32_t handle
      "u32", // uint32_t timeout_ms
    ],
    result: "i32",
    nonblocking: true,
  },
  ps_ring_wake: { parameters: ["i32"], result: "i32" }, // int32_t handle
  ps_ring_stat: {
    parameters: [
      "i32", // int32_t handle
      "buffer", // struct ps_ring_stat *ret_stat
    ],
    result: "i32",
  },
  ps_ring_close: { parameters: ["i32"], result: "i32" }, // int32_t handle
} as const satisfies Deno.ForeignLibraryInterface;
