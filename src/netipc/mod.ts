/**
 * netipc for Deno programs: clients, servers and caches that speak with those of the C, Rust and
 * Go libraries of netdata, and producers of changes for a pipeline. Everything goes through the
 * native library; give it the folders of the services first, with {@linkcode sealNative}.
 *
 * @module
 */
export type { Batch, Change, Fields, Mark, Receipt } from "../core/change.ts";
export { RejectError, RetryLaterError, StopError } from "../core/errors.ts";
export { sealNative } from "../../ffi/load.ts";
export type { RingStat } from "../../ffi/records.gen.ts";
export type { RingOptions } from "../../ffi/ring.ts";
export * from "./cache.ts";
export { IncrementCall, IncrementsCall, type MethodCall, SNAPSHOT } from "./calls.ts";
export * from "./changes/producer.ts";
export * from "./client.ts";
export { type ClientState } from "./connection.ts";
export * from "./codec/apps_lookup.ts";
export * from "./codec/batch.ts";
export * from "./codec/cgroups_lookup.ts";
export * from "./codec/cgroups_snapshot.ts";
export * from "./codec/errors.ts";
export * from "./codec/header.ts";
export * from "./codec/hello.ts";
export * from "./codec/increment.ts";
export { type Label, type LabelText, Orchestrator } from "./codec/lookup.ts";
export * from "./codec/span.ts";
export * from "./codec/string_reverse.ts";
export { type Endpoint, type ProfileChoice } from "./endpoint.ts";
export { NetipcError, type NetipcFault } from "./errors.ts";
export * from "./lookups.ts";
export * from "./server.ts";
export { type Abort, connectSession, Session, type SessionOptions } from "./session.ts";
export { type Peer, type TransportSession } from "./transport.ts";
