/**
 * Our own netipc clients and servers, as tests want them.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Client, type ClientOptions } from "../../src/netipc/client.ts";
import { Method } from "../../src/netipc/codec/header.ts";
import { decodeIncrement, encodeIncrement } from "../../src/netipc/codec/increment.ts";
import type { Span } from "../../src/netipc/codec/span.ts";
import { NetipcError, type NetipcFault } from "../../src/netipc/errors.ts";
import { Server, type ServerOptions, type Service } from "../../src/netipc/server.ts";
import { connectSession, type Session, type SessionOptions } from "../../src/netipc/session.ts";
import { NATIVE_TEST_FOLDER, nativeLibrary } from "./native.ts";
import { PEER_FAIL, PEER_TOKEN, serviceName } from "./peers.ts";

const library = await nativeLibrary();
const runDir = NATIVE_TEST_FOLDER;

/** Where everything in these tests is, and the token that peers know. */
export const HERE = { library, runDir, authToken: PEER_TOKEN } as const;

/** A client that did nothing yet. */
export function clientOf(service: string, options: Partial<ClientOptions> = {}): Client {
  return new Client({ ...HERE, service, ...options });
}

/** A client that is ready. */
export async function readyClient(
  service: string,
  options: Partial<ClientOptions> = {},
): Promise<Client> {
  const client = clientOf(service, options);
  await client.refresh();
  assert.equal(client.state, "ready");
  return client;
}

/** A session without a client. */
export function sessionOf(
  service: string,
  options: Partial<SessionOptions> = {},
): Promise<Session> {
  return connectSession({
    ...HERE,
    ...{ service, profiles: 1, maxRequestBytes: 1024, maxRequestItems: 1 },
    ...{ maxResponseBytes: 1024, handshakeMs: 5000 },
    ...options,
  }, { aborted: false });
}

/** The service of peers' servers: the next number, or a failure where one is asked for. */
export const INCREMENT: Service = {
  method: Method.increment,
  handle(request: Span, response: Span): number {
    const value = decodeIncrement(request);
    if (value === PEER_FAIL) throw new Error("Asked to fail");
    return encodeIncrement(response, value + 1n);
  },
};

/** A server that serves. */
export function startServer(
  options: Partial<ServerOptions> = {},
  what: Service = INCREMENT,
): Server & { readonly service: string } {
  const service = options.service ?? serviceName();
  const server = new Server({ ...HERE, service, ...options }, what);
  server.start().catch((error) => console.error(error));
  return Object.assign(server, { service });
}

/** Checks that a call fails for this reason. */
export function fails(fault: NetipcFault, call: Promise<unknown>): Promise<void> {
  return assert.rejects(call, (error) => {
    assert.ok(error instanceof NetipcError, String(error));
    assert.equal(error.fault, fault, error.message);
    return true;
  });
}
