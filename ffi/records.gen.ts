/**
 * Records and constants that the C library shares with us. Made by `deno task records` from
 * `c/records.def`; do not edit. Hosts are little-endian.
 *
 * @module
 */
import type { RecordView, Text, Texts } from "./texts.ts";

/** The library's ABI number that these readers are for. */
export const ABI = 1;

/** An event: the link exists and is like this. */
export const PS_LINK_SET = 1;
/** An event: the link was deleted or left the namespace. */
export const PS_LINK_GONE = 2;
/** An entry of a dump. */
export const PS_LINK_DUMPED = 3;
/** Mark: entries of a dump follow. */
export const PS_DUMP_BEGIN = 16;
/** Mark: the dump was complete. */
export const PS_DUMP_END = 17;
/** Mark: links changed during the dump, entries may lack. */
export const PS_DUMP_INTERRUPTED = 18;
/** Mark: the dump ended early, value is the errno. */
export const PS_DUMP_FAILED = 19;
/** Mark: events were lost, value is the link_loss reason. */
export const PS_LOST = 20;
/** The socket's buffer was full (ENOBUFS). */
export const PS_LOSS_OVERRUN = 1;
/** A datagram was larger than the room for it. */
export const PS_LOSS_TRUNCATED = 2;
/** The kernel said so (NLMSG_OVERRUN). */
export const PS_LOSS_MESSAGE = 3;
/** A datagram could not be read. */
export const PS_LOSS_MALFORMED = 4;
/** IFLA_IFNAME. */
export const PS_HAS_NAME = 1;
/** IFLA_MTU. */
export const PS_HAS_MTU = 2;
/** IFLA_MASTER. */
export const PS_HAS_MASTER = 4;
/** IFLA_OPERSTATE. */
export const PS_HAS_OPERSTATE = 8;
/** IFLA_CARRIER. */
export const PS_HAS_CARRIER = 16;
/** IFLA_INFO_KIND. */
export const PS_HAS_KIND = 32;
/** IFLA_ADDRESS. */
export const PS_HAS_MAC = 64;
/** Fill buffers with frames for a recording, not with links. */
export const PS_OPEN_FRAMES = 1;
/** A datagram of the event socket. */
export const PS_FRAME_EVENT = 1;
/** A datagram of the dump socket. */
export const PS_FRAME_DUMP = 2;
/** A dump was asked for. */
export const PS_FRAME_BEGIN = 3;
/** The event socket lost something. */
export const PS_FRAME_OVERRUN = 4;
/** The dump socket returned an error. */
export const PS_FRAME_FAILED = 5;
/** Only in memory: the decoder put out the mark in value. */
export const PS_FRAME_MARK = 16;
/** The datagram was longer than its bytes here. */
export const PS_FRAME_TRUNCATED = 1;
/** The admin state. */
export const PS_SET_ADMIN = 1;
/** The MTU. */
export const PS_SET_MTU = 2;
/** The bridge or bond that the link belongs to. */
export const PS_SET_MASTER = 4;
/** A client passed the checks and waits for an answer. */
export const PS_UDS_HELLO = 1;
/** The handshake of a connecting session is done. */
export const PS_UDS_READY = 2;
/** One whole message stands in the data. */
export const PS_UDS_MESSAGE = 3;
/** The session is gone. */
export const PS_UDS_CLOSED = 4;
/** A send that stopped early can go on. */
export const PS_UDS_WRITABLE = 5;
/** A client was turned away. */
export const PS_UDS_REFUSED = 6;
/** Least room for messages that a poll needs, bytes. */
export const PS_UDS_MIN_DATA = 65536;
/** Requests of one session that may wait for a response. */
export const PS_UDS_MAX_IN_FLIGHT = 200;
/** Most sessions of one hub. */
export const PS_SHM_SESSIONS = 127;
/** Pushes frames. */
export const PS_RING_PRODUCER = 1;
/** Polls and commits frames. */
export const PS_RING_CONSUMER = 2;
/** Only reads the figures. */
export const PS_RING_LOOK = 3;

/** A link as one message describes it, or a mark between links. */
export interface Link {
  /** What the record says: a link_record value. */
  readonly type: number;
  /** The link's identity, which outlives its name. */
  readonly ifindex: number;
  /** IFF_ flags. */
  readonly flags: number;
  /** Flags that the message says have changed; often 0. */
  readonly change: number;
  /** Bytes. */
  readonly mtu: number;
  /** Index of the bridge or bond that the link belongs to, or 0. */
  readonly master: number;
  /** Of a mark: the reason of a loss, the errno of a failed dump. */
  readonly value: number;
  /** Which attributes the message carried: link_has bits. */
  readonly present: number;
  /** IF_OPER_ state of RFC 2863. */
  readonly operstate: number;
  /** 1 with a carrier. */
  readonly carrier: number;
  /** Address family of the message, AF_UNSPEC. */
  readonly family: number;
  /** Bytes of the hardware address. */
  readonly macSize: number;
  /** Bytes of the name. */
  readonly nameSize: number;
  /** Bytes of the kind. */
  readonly kindSize: number;
  /** ARPHRD_ type of the device. */
  readonly device: number;
  /** Time of arrival, of the epoch. */
  readonly seconds: number;
  /** Rest of the time of arrival. */
  readonly nanoseconds: number;
  /** The name's bytes as the kernel has them, zeros after it. */
  readonly name: Text;
  /** Kind of a virtual link, such as veth; cut off if longer. */
  readonly kind: Text;
  /** Hardware address. */
  readonly mac: Uint8Array;
}

/** Bytes of one `ps_link`. */
export const LINK_BYTES = 112;
/** Words of four bytes of one `ps_link`. */
export const LINK_WORDS = 28;
/** Which word of a `ps_link` a field begins at. */
export const LINK_WORD = {
  type: 0,
  ifindex: 1,
  flags: 2,
  change: 3,
  mtu: 4,
  master: 5,
  value: 6,
  present: 7,
  seconds: 10,
  nanoseconds: 11,
  name: 12,
  kind: 16,
} as const;
/** Which byte of a `ps_link` a small field begins at. */
export const LINK_BYTE = {
  operstate: 32,
  carrier: 33,
  family: 34,
  macSize: 35,
  nameSize: 36,
  kindSize: 37,
  device: 38,
  mac: 80,
} as const;

/** Reads the `ps_link` that begins at a word of a buffer. */
export function readLink({ words, bytes }: RecordView, word: number, texts: Texts): Link {
  const byte = word * 4;
  return {
    type: words[word] ?? 0,
    ifindex: words[word + 1] ?? 0,
    flags: words[word + 2] ?? 0,
    change: words[word + 3] ?? 0,
    mtu: words[word + 4] ?? 0,
    master: words[word + 5] ?? 0,
    value: words[word + 6] ?? 0,
    present: words[word + 7] ?? 0,
    operstate: bytes[byte + 32] ?? 0,
    carrier: bytes[byte + 33] ?? 0,
    family: bytes[byte + 34] ?? 0,
    macSize: bytes[byte + 35] ?? 0,
    nameSize: bytes[byte + 36] ?? 0,
    kindSize: bytes[byte + 37] ?? 0,
    device: (bytes[byte + 38] ?? 0) | (bytes[byte + 38 + 1] ?? 0) << 8,
    seconds: words[word + 10] ?? 0,
    nanoseconds: words[word + 11] ?? 0,
    name: texts.read(words, bytes, word + 12, bytes[byte + 36] ?? 0),
    kind: texts.read(words, bytes, word + 16, bytes[byte + 37] ?? 0),
    mac: bytes.slice(byte + 80, byte + 80 + (bytes[byte + 35] ?? 0)),
  };
}

/** What the socket gave, before its bytes: an input of the decoder. */
export interface Frame {
  /** Bytes that follow, without the padding to 8. */
  readonly size: number;
  /** A frame_kind value. */
  readonly kind: number;
  /** frame_flag bits. */
  readonly flags: number;
  /** BEGIN: sequence number; OVERRUN: reason; FAILED: errno. */
  readonly value: number;
  /** Time of arrival, of the epoch. */
  readonly seconds: number;
  /** Rest of the time of arrival. */
  readonly nanoseconds: number;
  /** In a file: CRC-32; in memory 0. */
  readonly check: number;
}

/** Bytes of one `ps_frame`. */
export const FRAME_BYTES = 24;
/** Words of four bytes of one `ps_frame`. */
export const FRAME_WORDS = 6;
/** Which word of a `ps_frame` a field begins at. */
export const FRAME_WORD = {
  size: 0,
  value: 2,
  seconds: 3,
  nanoseconds: 4,
  check: 5,
} as const;
/** Which byte of a `ps_frame` a small field begins at. */
export const FRAME_BYTE = {
  kind: 4,
  flags: 5,
} as const;

/** Reads the `ps_frame` that begins at a word of a buffer. */
export function readFrame({ words, bytes }: RecordView, word: number): Frame {
  const byte = word * 4;
  return {
    size: words[word] ?? 0,
    kind: bytes[byte + 4] ?? 0,
    flags: bytes[byte + 5] ?? 0,
    value: words[word + 2] ?? 0,
    seconds: words[word + 3] ?? 0,
    nanoseconds: words[word + 4] ?? 0,
    check: words[word + 5] ?? 0,
  };
}

/** What became of everything that a handle was given. */
export interface LinkStats {
  /** Datagrams received. */
  readonly datagrams: number;
  /** Messages in them. */
  readonly messages: number;
  /** Links and marks put out. */
  readonly records: number;
  /** Messages that tell of no link's state, such as a bridge's. */
  readonly ignored: number;
  /** Datagrams and messages that could not be read. */
  readonly malformed: number;
  /** Datagrams that did not come from the kernel. */
  readonly foreign: number;
  /** Losses noticed. */
  readonly lost: number;
  /** Events thrown away because a dump replaces them. */
  readonly discarded: number;
  /** Dumps asked for. */
  readonly dumps: number;
  /** Dumps that were interrupted or failed. */
  readonly interrupted: number;
  /** Waits that let events gather. */
  readonly lingered: number;
  /** Events that the kernel counts as dropped. */
  readonly drops: number;
  /** Size of the receive buffer that was achieved. */
  readonly bufferBytes: number;
  /** What waits in it. */
  readonly queuedBytes: number;
  /** Room for one event datagram. */
  readonly slotBytes: number;
}

/** Bytes of one `ps_link_stats`. */
export const LINK_STATS_BYTES = 128;
/** Words of four bytes of one `ps_link_stats`. */
export const LINK_STATS_WORDS = 32;
/** Which word of a `ps_link_stats` a field begins at. */
export const LINK_STATS_WORD = {
  datagrams: 0,
  messages: 2,
  records: 4,
  ignored: 6,
  malformed: 8,
  foreign: 10,
  lost: 12,
  discarded: 14,
  dumps: 16,
  interrupted: 18,
  lingered: 20,
  drops: 22,
  bufferBytes: 24,
  queuedBytes: 26,
  slotBytes: 28,
} as const;
/** Which byte of a `ps_link_stats` a small field begins at. */
export const LINK_STATS_BYTE = {} as const;

/** Reads the `ps_link_stats` that begins at a word of a buffer. */
export function readLinkStats({ words }: RecordView, word: number): LinkStats {
  return {
    datagrams: (words[word + 1] ?? 0) * 2 ** 32 + (words[word] ?? 0),
    messages: (words[word + 3] ?? 0) * 2 ** 32 + (words[word + 2] ?? 0),
    records: (words[word + 5] ?? 0) * 2 ** 32 + (words[word + 4] ?? 0),
    ignored: (words[word + 7] ?? 0) * 2 ** 32 + (words[word + 6] ?? 0),
    malformed: (words[word + 9] ?? 0) * 2 ** 32 + (words[word + 8] ?? 0),
    foreign: (words[word + 11] ?? 0) * 2 ** 32 + (words[word + 10] ?? 0),
    lost: (words[word + 13] ?? 0) * 2 ** 32 + (words[word + 12] ?? 0),
    discarded: (words[word + 15] ?? 0) * 2 ** 32 + (words[word + 14] ?? 0),
    dumps: (words[word + 17] ?? 0) * 2 ** 32 + (words[word + 16] ?? 0),
    interrupted: (words[word + 19] ?? 0) * 2 ** 32 + (words[word + 18] ?? 0),
    lingered: (words[word + 21] ?? 0) * 2 ** 32 + (words[word + 20] ?? 0),
    drops: (words[word + 23] ?? 0) * 2 ** 32 + (words[word + 22] ?? 0),
    bufferBytes: (words[word + 25] ?? 0) * 2 ** 32 + (words[word + 24] ?? 0),
    queuedBytes: (words[word + 27] ?? 0) * 2 ** 32 + (words[word + 26] ?? 0),
    slotBytes: (words[word + 29] ?? 0) * 2 ** 32 + (words[word + 28] ?? 0),
  };
}

/** A change of one link. */
export interface LinkChange {
  /** Which link; 0 for the one with this name. */
  readonly ifindex: number;
  /** What is changed: link_set bits. */
  readonly set: number;
  /** With PS_SET_ADMIN: 1 for up, 0 for down. */
  readonly up: number;
  /** With PS_SET_MTU: bytes. */
  readonly mtu: number;
  /** With PS_SET_MASTER: index of the bridge, 0 for none. */
  readonly master: number;
  /** Bytes of the name. */
  readonly nameSize: number;
  /** Only with ifindex 0: the name of the link. */
  readonly name: Text;
}

/** Bytes of one `ps_link_change`. */
export const LINK_CHANGE_BYTES = 40;
/** Words of four bytes of one `ps_link_change`. */
export const LINK_CHANGE_WORDS = 10;
/** Which word of a `ps_link_change` a field begins at. */
export const LINK_CHANGE_WORD = {
  ifindex: 0,
  set: 1,
  up: 2,
  mtu: 3,
  master: 4,
  name: 6,
} as const;
/** Which byte of a `ps_link_change` a small field begins at. */
export const LINK_CHANGE_BYTE = {
  nameSize: 20,
} as const;

/** Reads the `ps_link_change` that begins at a word of a buffer. */
export function readLinkChange(
  { words, bytes }: RecordView,
  word: number,
  texts: Texts,
): LinkChange {
  const byte = word * 4;
  return {
    ifindex: words[word] ?? 0,
    set: words[word + 1] ?? 0,
    up: words[word + 2] ?? 0,
    mtu: words[word + 3] ?? 0,
    master: words[word + 4] ?? 0,
    nameSize: bytes[byte + 20] ?? 0,
    name: texts.read(words, bytes, word + 6, bytes[byte + 20] ?? 0),
  };
}

/** What the kernel said to a change. */
export interface LinkAnswer {
  /** 0 when the change was made, otherwise the errno. */
  readonly error: number;
  /** Bytes of the kernel's words. */
  readonly wordsSize: number;
  /** The kernel's own words about an error. */
  readonly words: Uint8Array;
}

/** Bytes of one `ps_link_answer`. */
export const LINK_ANSWER_BYTES = 128;
/** Words of four bytes of one `ps_link_answer`. */
export const LINK_ANSWER_WORDS = 32;
/** Which word of a `ps_link_answer` a field begins at. */
export const LINK_ANSWER_WORD = {
  error: 0,
} as const;
/** Which byte of a `ps_link_answer` a small field begins at. */
export const LINK_ANSWER_BYTE = {
  wordsSize: 4,
  words: 8,
} as const;

/** Reads the `ps_link_answer` that begins at a word of a buffer. */
export function readLinkAnswer({ words, bytes }: RecordView, word: number): LinkAnswer {
  const byte = word * 4;
  return {
    error: words[word] ?? 0,
    wordsSize: bytes[byte + 4] ?? 0,
    words: bytes.slice(byte + 8, byte + 8 + (bytes[byte + 4] ?? 0)),
  };
}

/** What happened to a session over a socket. */
export interface UdsEvent {
  /** What happened: a uds_event value. */
  readonly type: number;
  /** Number of the session; 0 for a client that had none. */
  readonly session: number;
  /** CLOSED, REFUSED: why, a negative errno or 0. */
  readonly status: number;
  /** MESSAGE: place of its outer header in the data. */
  readonly offset: number;
  /** MESSAGE: bytes of outer header and payload. */
  readonly length: number;
  /** HELLO: would be selected; READY: was selected. */
  readonly profile: number;
  /** HELLO, READY: agreed limit of a request's payload. */
  readonly requestBytes: number;
  /** HELLO, READY: agreed limit of a request's items. */
  readonly requestItems: number;
  /** HELLO, READY: agreed limit of a response's payload. */
  readonly responseBytes: number;
  /** HELLO, READY: agreed limit of a response's items. */
  readonly responseItems: number;
  /** HELLO, READY: agreed longest packet, bytes. */
  readonly packetSize: number;
  /** HELLO, REFUSED: the peer's user, from the kernel. */
  readonly uid: number;
  /** HELLO, REFUSED: the peer's group. */
  readonly gid: number;
  /** HELLO, REFUSED: the peer's process. */
  readonly pid: number;
  /** HELLO, READY: the server's number for the session. */
  readonly sessionId: number;
}

/** Bytes of one `ps_uds_event`. */
export const UDS_EVENT_BYTES = 64;
/** Words of four bytes of one `ps_uds_event`. */
export const UDS_EVENT_WORDS = 16;
/** Which word of a `ps_uds_event` a field begins at. */
export const UDS_EVENT_WORD = {
  type: 0,
  session: 1,
  status: 2,
  offset: 3,
  length: 4,
  profile: 5,
  requestBytes: 6,
  requestItems: 7,
  responseBytes: 8,
  responseItems: 9,
  packetSize: 10,
  uid: 11,
  gid: 12,
  pid: 13,
  sessionId: 14,
} as const;
/** Which byte of a `ps_uds_event` a small field begins at. */
export const UDS_EVENT_BYTE = {} as const;

/** Reads the `ps_uds_event` that begins at a word of a buffer. */
export function readUdsEvent({ words }: RecordView, word: number): UdsEvent {
  return {
    type: words[word] ?? 0,
    session: words[word + 1] ?? 0,
    status: (words[word + 2] ?? 0) | 0,
    offset: words[word + 3] ?? 0,
    length: words[word + 4] ?? 0,
    profile: words[word + 5] ?? 0,
    requestBytes: words[word + 6] ?? 0,
    requestItems: words[word + 7] ?? 0,
    responseBytes: words[word + 8] ?? 0,
    responseItems: words[word + 9] ?? 0,
    packetSize: words[word + 10] ?? 0,
    uid: words[word + 11] ?? 0,
    gid: words[word + 12] ?? 0,
    pid: words[word + 13] ?? 0,
    sessionId: (words[word + 15] ?? 0) * 2 ** 32 + (words[word + 14] ?? 0),
  };
}

/** What one side of a session over a socket offers; 0 is the default. */
export interface UdsConfig {
  /** Number that both sides must know. */
  readonly authToken: number;
  /** Profile bits. */
  readonly supported: number;
  /** Profile bits. */
  readonly preferred: number;
  /** Limit of a request's payload. */
  readonly requestBytes: number;
  /** Limit of a request's items. */
  readonly requestItems: number;
  /** Limit of a response's payload. */
  readonly responseBytes: number;
  /** Limit of a response's items. */
  readonly responseItems: number;
  /** Longest packet, bytes. */
  readonly packetSize: number;
  /** Longest handshake, and pause inside a message. */
  readonly handshakeMs: number;
  /** Sessions of a listener at one time. */
  readonly maxSessions: number;
  /** Clients that may wait to be accepted. */
  readonly backlog: number;
  /** Permissions of the listening socket's node. */
  readonly mode: number;
}

/** Bytes of one `ps_uds_config`. */
export const UDS_CONFIG_BYTES = 64;
/** Words of four bytes of one `ps_uds_config`. */
export const UDS_CONFIG_WORDS = 16;
/** Which word of a `ps_uds_config` a field begins at. */
export const UDS_CONFIG_WORD = {
  authToken: 0,
  supported: 2,
  preferred: 3,
  requestBytes: 4,
  requestItems: 5,
  responseBytes: 6,
  responseItems: 7,
  packetSize: 8,
  handshakeMs: 9,
  maxSessions: 10,
  backlog: 11,
  mode: 12,
} as const;
/** Which byte of a `ps_uds_config` a small field begins at. */
export const UDS_CONFIG_BYTE = {} as const;

/** Reads the `ps_uds_config` that begins at a word of a buffer. */
export function readUdsConfig({ words }: RecordView, word: number): UdsConfig {
  return {
    authToken: (words[word + 1] ?? 0) * 2 ** 32 + (words[word] ?? 0),
    supported: words[word + 2] ?? 0,
    preferred: words[word + 3] ?? 0,
    requestBytes: words[word + 4] ?? 0,
    requestItems: words[word + 5] ?? 0,
    responseBytes: words[word + 6] ?? 0,
    responseItems: words[word + 7] ?? 0,
    packetSize: words[word + 8] ?? 0,
    handshakeMs: words[word + 9] ?? 0,
    maxSessions: words[word + 10] ?? 0,
    backlog: words[word + 11] ?? 0,
    mode: words[word + 12] ?? 0,
  };
}

/** Before each message that shared memory gives. */
export interface ShmRecord {
  /** Number of the session. */
  readonly session: number;
  /** 0, or why the message is unusable. */
  readonly status: number;
  /** Bytes of outer header and payload behind this. */
  readonly length: number;
}

/** Bytes of one `ps_shm_record`. */
export const SHM_RECORD_BYTES = 16;
/** Words of four bytes of one `ps_shm_record`. */
export const SHM_RECORD_WORDS = 4;
/** Which word of a `ps_shm_record` a field begins at. */
export const SHM_RECORD_WORD = {
  session: 0,
  status: 1,
  length: 2,
} as const;
/** Which byte of a `ps_shm_record` a small field begins at. */
export const SHM_RECORD_BYTE = {} as const;

/** Reads the `ps_shm_record` that begins at a word of a buffer. */
export function readShmRecord({ words }: RecordView, word: number): ShmRecord {
  return {
    session: words[word] ?? 0,
    status: (words[word + 1] ?? 0) | 0,
    length: words[word + 2] ?? 0,
  };
}

/** Agreed limits of a session over shared memory. */
export interface ShmLimits {
  /** Longest payload of a request. */
  readonly requestBytes: number;
  /** Most items of a request. */
  readonly requestItems: number;
  /** Longest payload of a response. */
  readonly responseBytes: number;
  /** Most items of a response. */
  readonly responseItems: number;
}

/** Bytes of one `ps_shm_limits`. */
export const SHM_LIMITS_BYTES = 16;
/** Words of four bytes of one `ps_shm_limits`. */
export const SHM_LIMITS_WORDS = 4;
/** Which word of a `ps_shm_limits` a field begins at. */
export const SHM_LIMITS_WORD = {
  requestBytes: 0,
  requestItems: 1,
  responseBytes: 2,
  responseItems: 3,
} as const;
/** Which byte of a `ps_shm_limits` a small field begins at. */
export const SHM_LIMITS_BYTE = {} as const;

/** Reads the `ps_shm_limits` that begins at a word of a buffer. */
export function readShmLimits({ words }: RecordView, word: number): ShmLimits {
  return {
    requestBytes: words[word] ?? 0,
    requestItems: words[word + 1] ?? 0,
    responseBytes: words[word + 2] ?? 0,
    responseItems: words[word + 3] ?? 0,
  };
}

/** Figures of a ring. */
export interface RingStat {
  /** Bytes of frames that it holds. */
  readonly capacity: number;
  /** Bytes published since it was made. */
  readonly producedBytes: number;
  /** Bytes done with since it was made. */
  readonly consumedBytes: number;
  /** Frames published; approximate after a kill. */
  readonly produced: number;
  /** Frames done with; approximate after a kill. */
  readonly consumed: number;
  /** Times that the producer slept for want of room. */
  readonly producerSleeps: number;
  /** Times that the consumer slept for want of frames. */
  readonly consumerSleeps: number;
  /** Process that holds the producer's side, or 0. */
  readonly producerPid: number;
  /** Process that holds the consumer's side, or 0. */
  readonly consumerPid: number;
}

/** Bytes of one `ps_ring_stat`. */
export const RING_STAT_BYTES = 64;
/** Words of four bytes of one `ps_ring_stat`. */
export const RING_STAT_WORDS = 16;
/** Which word of a `ps_ring_stat` a field begins at. */
export const RING_STAT_WORD = {
  capacity: 0,
  producedBytes: 2,
  consumedBytes: 4,
  produced: 6,
  consumed: 8,
  producerSleeps: 10,
  consumerSleeps: 12,
  producerPid: 14,
  consumerPid: 15,
} as const;
/** Which byte of a `ps_ring_stat` a small field begins at. */
export const RING_STAT_BYTE = {} as const;

/** Reads the `ps_ring_stat` that begins at a word of a buffer. */
export function readRingStat({ words }: RecordView, word: number): RingStat {
  return {
    capacity: (words[word + 1] ?? 0) * 2 ** 32 + (words[word] ?? 0),
    producedBytes: (words[word + 3] ?? 0) * 2 ** 32 + (words[word + 2] ?? 0),
    consumedBytes: (words[word + 5] ?? 0) * 2 ** 32 + (words[word + 4] ?? 0),
    produced: (words[word + 7] ?? 0) * 2 ** 32 + (words[word + 6] ?? 0),
    consumed: (words[word + 9] ?? 0) * 2 ** 32 + (words[word + 8] ?? 0),
    producerSleeps: (words[word + 11] ?? 0) * 2 ** 32 + (words[word + 10] ?? 0),
    consumerSleeps: (words[word + 13] ?? 0) * 2 ** 32 + (words[word + 12] ?? 0),
    producerPid: words[word + 14] ?? 0,
    consumerPid: words[word + 15] ?? 0,
  };
}

/** What `ps_layout()` of a library that fits these readers writes. */
// deno-fmt-ignore
export const LAYOUT: readonly number[] = [
  112, 4, 0, 4, 4, 4, 8, 4, 12, 4, 16, 4, 20, 4, 24, 4, 28, 4, 32, 1, 33, 1, 34, 1, 35, 1, 36, 1, 37, 1, 38, 2,
  40, 4, 44, 4, 48, 16, 64, 16, 80, 32, 1, 2, 3, 16, 17, 18, 19, 20, 1, 2, 3,
  4, 1, 2, 4, 8, 16, 32, 64, 1, 24, 4, 0, 4, 4, 1, 5, 1, 6, 2, 8, 4, 12, 4,
  16, 4, 20, 4, 1, 2, 3, 4, 5, 16, 1, 128, 8, 0, 8, 8, 8, 16, 8, 24, 8, 32, 8, 40, 8,
  48, 8, 56, 8, 64, 8, 72, 8, 80, 8, 88, 8, 96, 8, 104, 8, 112, 8, 120, 8, 40, 4, 0, 4, 4, 4, 8, 4, 12, 4, 16, 4,
  20, 1, 21, 3, 24, 16, 1, 2, 4, 128, 4, 0, 4, 4, 1, 5, 3, 8, 120, 64, 8, 0, 4, 4, 4, 8, 4, 12, 4,
  16, 4, 20, 4, 24, 4, 28, 4, 32, 4, 36, 4, 40, 4, 44, 4, 48, 4, 52, 4, 56, 8, 1, 2, 3, 4, 5,
  6, 64, 8, 0, 8, 8, 4, 12, 4, 16, 4, 20, 4, 24, 4, 28, 4, 32, 4, 36, 4, 40, 4, 44, 4, 48, 4, 52, 12, 65536,
  200, 16, 4, 0, 4, 4, 4, 8, 4, 12, 4, 16, 4, 0, 4, 4, 4, 8, 4, 12, 4, 127, 64, 8, 0, 8, 8, 8, 16, 8,
  24, 8, 32, 8, 40, 8, 48, 8, 56, 4, 60, 4, 1, 2, 3,
];
