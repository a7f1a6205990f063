/**
 * Exports of the native library for links of the kernel; `c/include/ps_netlink.h` says what they
 * do.
 *
 * @module
 */

/** For `Deno.dlopen`. */
export const netlinkSymbols = {
  ps_near: { parameters: [], result: "i32" },
  ps_nl_open: {
    parameters: [
      "buffer", // const uint8_t *netns
      "u32", // uint32_t netns_size
      "u32", // uint32_t receive_bytes
      "u32", // uint32_t flags
    ],
    result: "i32",
  },
  ps_nl_replay: { parameters: [], result: "i32" },
  ps_nl_feed: {
    parameters: [
      "i32", // int32_t handle
      "buffer", // const uint8_t *frames
      "u32", // uint32_t size
    ],
    result: "i32",
  },
  ps_nl_dump: { parameters: ["i32"], result: "i32" }, // int32_t handle
  ps_nl_poll: {
    parameters: [
      "i32", // int32_t handle
      "buffer", // uint8_t *buffer
      "u32", // uint32_t capacity
      "u32", // uint32_t spin_us
    ],
    result: "i32",
  },
  ps_nl_wait: {
    parameters: [
      "i32", // int32_t handle
      "buffer", // uint8_t *buffer
      "u32", // uint32_t capacity
      "u32", // uint32_t timeout_ms
      "u32", // uint32_t linger_us
    ],
    result: "i32",
    nonblocking: true,
  },
  ps_nl_wake: { parameters: ["i32"], result: "i32" }, // int32_t handle
  ps_nl_stats: {
    parameters: [
      "i32", // int32_t handle
      "buffer", // struct ps_link_stats *ret_stats
    ],
    result: "i32",
  },
  ps_nl_error: {
    parameters: [
      "i32", // int32_t handle
      "buffer", // uint8_t *ret_text
      "u32", // uint32_t capacity
    ],
    result: "i32",
  },
  ps_nl_close: { parameters: ["i32"], result: "i32" }, // int32_t handle
} as const satisfies Deno.ForeignLibraryInterface;
