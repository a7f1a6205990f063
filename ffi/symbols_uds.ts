/**
 * Exports of the native library for netipc over sockets; `c/include/ps_uds.h` says what they do.
 *
 * @module
 */

/** For `Deno.dlopen`. */
export const udsSymbols = {
  ps_uds_open: { parameters: [], result: "i32" },
  ps_uds_free: { parameters: ["i32"], result: "i32" }, // int32_t handle
  ps_uds_listen: {
    parameters: [
      "i32", // int32_t handle
      "buffer", // const uint8_t *path
      "u32", // uint32_t path_size
      "buffer", // const struct ps_uds_config *config
    ],
    result: "i32",
  },
  ps_uds_set_limits: {
    parameters: [
      "i32", // int32_t handle
      "u32", // uint32_t request_bytes
      "u32", // uint32_t response_bytes
    ],
    result: "i32",
  },
  ps_uds_connect: {
    parameters: [
      "i32", // int32_t handle
      "buffer", // const uint8_t *path
      "u32", // uint32_t path_size
      "buffer", // const struct ps_uds_config *config
    ],
    result: "i32",
  },
  ps_uds_admit: {
    parameters: [
      "i32", // int32_t handle
      "u32", // uint32_t session
      "u32", // uint32_t profile
      "u32", // uint32_t status
    ],
    result: "i32",
  },
  ps_uds_close: {
    parameters: [
      "i32", // int32_t handle
      "u32", // uint32_t session
    ],
    result: "i32",
  },
  ps_uds_pause: {
    parameters: [
      "i32", // int32_t handle
      "u32", // uint32_t session
      "u32", // uint32_t paused
    ],
    result: "i32",
  },
  ps_uds_send: {
    parameters: [
      "i32", // int32_t handle
      "u32", // uint32_t session
      "buffer", // const uint8_t *messages
      "u32", // uint32_t length
    ],
    result: "i32",
  },
  ps_uds_poll: {
    parameters: [
      "i32", // int32_t handle
      "buffer", // struct ps_uds_event *events
      "u32", // uint32_t capacity
      "buffer", // uint8_t *data
      "u32", // uint32_t size
      "u32", // uint32_t spin_us
    ],
    result: "i32",
  },
  ps_uds_exchange: {
    parameters: [
      "i32", // int32_t handle
      "u32", // uint32_t session
      "buffer", // const uint8_t *message
      "u32", // uint32_t length
      "buffer", // struct ps_uds_event *events
      "u32", // uint32_t capacity
      "buffer", // uint8_t *data
      "u32", // uint32_t size
      "u32", // uint32_t spin_us
    ],
    result: "i32",
  },
  ps_uds_wait: {
    parameters: [
      "i32", // int32_t handle
      "u32", // uint32_t timeout_ms
    ],
    result: "i32",
    nonblocking: true,
  },
  ps_uds_wake: { parameters: ["i32"], result: "i32" }, // int32_t handle
} as const satisfies Deno.ForeignLibraryInterface;
