/**
 * Fields that the `uds` and the `shm` source share.
 *
 * @module
 */
import * as z from "zod";
import { filePath, milliseconds, secret, tableName } from "./fields.ts";

const uid = () => z.int().min(0).max(4_294_967_294);

/** Settings of a netipc service, as its server or as its client. */
// deno-lint-ignore explicit-module-boundary-types -- the fields are typed by what they are made of
export function netipcFields() {
  return {
    mode: z.enum(["serve", "poll"]).default("serve").describe(
      "`serve`: producers connect and send changes. `poll`: read the snapshot service of another " +
        "program, and give the differences as changes.",
    ),
    run_dir: filePath().default("/run/portsync").describe(
      "The folder of the service's socket and shared memory. It must exist, only trusted users " +
        "may write to it, and no part of its path may be a symbolic link.",
    ),
    service: z.string().max(80).regex(
      /^(?!\.{1,2}$)[A-Za-z0-9._-]+$/,
      "Expected the name of a service: letters, digits, dots, dashes and underscores",
    ).describe("The name of the service: its socket is `<run_dir>/<service>.sock`."),
    auth_token: secret().optional().describe(
      "The number that both sides must know, as `${file:/path}` or `${credential:NAME}` of a " +
        "file that holds it in decimal, or in hexadecimal behind `0x`. 0 when left out.",
    ),
    acknowledge: z.enum(["applied", "accepted"]).default("applied").describe(
      "When producers are answered: `applied` once the sinks have their changes, `accepted` as " +
        "soon as the pipeline has taken them over. Only for `serve`.",
    ),
    allow_uids: z.array(uid()).min(1).max(256).optional().describe(
      "Users whose processes may send changes, by number. Everyone who can open the socket when " +
        "left out. Only for `serve`.",
    ),
    socket_mode: z.string().regex(
      /^0[0-7]{3}$/,
      "Expected the permissions of a file in octal, such as 0660",
    ).default("0600").describe(
      "Permissions of the socket: to connect is to write. Only for `serve`.",
    ),
    max_clients: z.int().min(1).max(127).default(64).describe(
      "Most producers that may be connected at one time. Only for `serve`.",
    ),
    max_request_bytes: z.int().min(4096).max(16 * 1024 * 1024).default(1024 * 1024).describe(
      "Longest message of a producer. Shared memory needs as much for each of them. Only for " +
        "`serve`.",
    ),
    handshake_ms: milliseconds(10, 600_000).default(5000).describe(
      "How long the other side may take to say hello.",
    ),
    interval_ms: milliseconds(10, 3_600_000).default(1000).describe(
      "How often to read the snapshot. Only for `poll`.",
    ),
    timeout_ms: milliseconds(10, 600_000).default(5000).describe(
      "How long the service may take for one snapshot. Only for `poll`.",
    ),
    table: tableName().default("CGROUP_TABLE").describe(
      "The table of the changes, for nobody else to write to: its rows that the service does not " +
        "name are removed. Only for `poll`; producers name their tables themselves.",
    ),
  };
}
