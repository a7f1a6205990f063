/**
 * The first words on a new connection.
 *
 * @module
 */
import { ErrorReply } from "./codec/reply.ts";
import { replyError } from "./errors.ts";
import type { Session } from "./session.ts";

/** Who connects, and to which database. */
export interface Login {
  /** The server's address, for messages. */
  readonly server: string;
  /** The number for SELECT. */
  readonly database: number;
  /** The user for AUTH; the server's default user when left out. */
  readonly username?: string | undefined;
  /** The password for AUTH; no AUTH when left out. */
  readonly password?: string | undefined;
  /** Shown by the server's `CLIENT LIST`. */
  readonly clientName: string;
}

/** One connection as the server knows it: numbers of connections are only unique in one run. */
export interface Identity {
  /** The connection's number. */
  readonly clientId: string;
  /** The server's run. */
  readonly runId: string;
}

/**
 * Logs in and picks the database.
 *
 * @returns the connection's identity, where the server tells it
 * @throws one of the classes of `core/errors.ts` when the server refuses
 */
export async function logIn(session: Session, login: Login): Promise<Identity | undefined> {
  const { server, username, password } = login;
  const replies = await session.send((writer) => {
    if (password !== undefined) {
      if (username === undefined) writer.command("AUTH", password);
      else writer.command("AUTH", username, password);
    }
    writer.command("SELECT", String(login.database));
    writer.command("CLIENT", "SETNAME", login.clientName);
    writer.command("CLIENT", "ID");
    writer.command("INFO", "server");
  });
  const [info, clientId, _named, selected, auth] = replies.toReversed();
  for (const reply of [auth, selected]) {
    if (reply instanceof ErrorReply) throw replyError(reply, server);
  }
  // These three are only of use, so a server or user without them is as welcome.
  const runId = typeof info === "string" ? /^run_id:(\w+)/m.exec(info)?.[1] : undefined;
  if (typeof clientId !== "number" || runId === undefined) return undefined;
  return { clientId: String(clientId), runId };
}

/**
 * Ends a connection that was given up while the server still had it. What it had sent may lie
 * unread in the server's socket, and would be carried out after newer writes.
 *
 * @returns the server's refusal, if it refused
 */
export async function endStale(session: Session, stale: Identity): Promise<string | undefined> {
  const [reply] = await session.send((writer) => {
    writer.command("CLIENT", "KILL", "ID", stale.clientId);
  });
  return reply instanceof ErrorReply ? reply.message : undefined;
}

/**
 * Ends what the server still has of processes before this one. A process that was killed leaves
 * what it had sent, and the kernel or a slow server may bring that after newer writes.
 *
 * @param family how the names of all these connections begin
 * @param own how the names of this process's own connections go on
 * @returns the server's refusal, if it refused
 */
export async function endOrphans(
  session: Session,
  family: string,
  own: string,
): Promise<string | undefined> {
  const [list] = await session.send((writer) => writer.command("CLIENT", "LIST"));
  if (list instanceof ErrorReply) return list.message;
  const orphans: string[] = [];
  const text = typeof list === "string" ? list : "";
  for (const [, id = "", name = ""] of text.matchAll(/^id=(\d+) .*? name=(\S*) /gm)) {
    if (name.startsWith(family) && name !== family + own) orphans.push(id);
  }
  if (orphans.length === 0) return undefined;
  const replies = await session.send((writer) => {
    for (const id of orphans) writer.command("CLIENT", "KILL", "ID", id);
  });
  return replies.find((reply) => reply instanceof ErrorReply)?.message;
}
