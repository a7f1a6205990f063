/**
 * Exports of the native library for netipc over shared memory; `c/include/ps_shm.h` says what they
 * do.
 *
 * @module
 */

/** For `Deno.dlopen`. */
export const shmSymbols = {
  ps_shm_open: { parameters: [], result: "i32" },
  ps_shm_free: { parameters: ["i32"], result: "i32" }, // int32_t handle
  ps_shm_create: {
    parameters: [
      "i32", // int32_t handle
      "buffer", // const uint8_t *path
      "u32", // uint32_t path_size
      "buffer", // const struct ps_shm_limits *limits
    ],
    result: "i32",
  },
  ps_shm_attach: {
    parameters: [
      "i32", // int32_t handle
      "buffer", // const uint8_t *path
      "u32", // uint32_t path_size
      "buffer", // const struct ps_shm_limits *limits
    ],
    result: "i32",
  },
  ps_shm_close: {
    parameters: [
      "i32", // int32_t handle
      "u32", // uint32_t session
    ],
    result: "i32",
  },
  ps_shm_reap: {
    parameters: [
      "buffer", // const uint8_t *prefix
      "u32", // uint32_t prefix_size
    ],
    result: "i32",
  },
  ps_shm_send: {
    parameters: [
      "i32", // int32_t handle
      "u32", // uint32_t session
      "buffer", // const uint8_t *message
      "u32", // uint32_t length
    ],
    result: "i32",
  },
  ps_shm_poll: {
    parameters: [
      "i32", // int32_t handle
      "buffer", // uint8_t *data
      "u32", // uint32_t size
      "u32", // uint32_t spin_us
    ],
    result: "i32",
  },
  ps_shm_exchange: {
    parameters: [
      "i32", // int32_t handle
      "u32", // uint32_t session
      "buffer", // const uint8_t *message
      "u32", // uint32_t length
      "buffer", // uint8_t *data
      "u32", // uint32_t size
      "u32", // uint32_t spin_us
    ],
    result: "i32",
  },
  ps_shm_wait: {
    parameters: [
      "i32", // int32_t handle
      "u32", // uint32_t timeout_ms
    ],
    result: "i32",
    nonblocking: true,
  },
  ps_shm_wake: { parameters: ["i32"], result: "i32" }, // int32_t handle
} as const satisfies Deno.ForeignLibraryInterface;
