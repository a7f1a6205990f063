/**
 * `portsync ipc ping|status|snapshot SERVICE`
 *
 * @module
 */
import { ExitCode, StopError } from "../core/errors.ts";
import { escapeControls } from "../core/escape.ts";
import { readSecret } from "../core/secret.ts";
import { absolutePath } from "../spec/machine.ts";
import { type Arguments, type Command, type Io, UsageError } from "./command.ts";
import { requirePermissions } from "./permissions.ts";
import { askTool, asObject, numberOf } from "./tool.ts";

const VERBS = ["ping", "status", "snapshot"] as const;
type Verb = typeof VERBS[number];

const PROFILES = ["auto", "uds", "shm"] as const;
const RUN_DIR = "/run/portsync";
const MOST_PINGS = 10_000;
const LONGEST_MS = 600_000;

/** Talks to a netipc service. */
export const command: Command = {
  name: "ipc",
  summary: "Talk to a netipc service of this machine",
  usage: "ping|status|snapshot SERVICE",
  operands: { min: 2, max: 2 },
  details: [
    "SERVICE is the path of its socket, or its name in the folder that --run-dir names. Any service " +
    "of the netipc protocol answers, those of other programs too.",
    "ping measures round trips, status shows what a handshake agrees on, and snapshot prints what " +
    "a service of cgroups knows.",
  ],
  options: {
    "run-dir": {
      value: "FOLDER",
      description: `the folder of the service; ${RUN_DIR} if left out`,
    },
    profile: { value: "WAY", description: "auto, uds or shm; auto if left out" },
    "token-file": { value: "FILE", description: "a file with the number that the service wants" },
    count: { value: "N", short: "n", description: "so many round trips; 5 if left out" },
    "timeout-ms": { value: "MS", description: "how long the service may take; 5000 if left out" },
    json: { description: "the answer as one JSON object" },
  },
  examples: [
    { line: "ipc ping ports", shows: "how fast the uds source named ports answers" },
    {
      line: "ipc snapshot /run/netdata/cgroups-snapshot.sock",
      shows: "the cgroups that netdata knows",
    },
  ],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const [word = "", service = ""] = args.operands;
  const verb = VERBS.find((known) => known === word);
  if (verb === undefined) {
    throw new UsageError(`There is no ipc ${word}; there is ${VERBS.join(", ")}`);
  }
  const tokenFile = args.text("token-file");
  requirePermissions([
    { name: "run", command: Deno.execPath() },
    ...(tokenFile === undefined ? [] : [{ name: "read" as const, path: tokenFile }]),
  ], ["ipc", verb, service]);
  const answer = asObject(
    await askTool({
      ...{ job: verb, ...endpointOf(service, args.text("run-dir")) },
      profile: profileOf(args.text("profile") ?? "auto"),
      token: tokenFile === undefined ? "0" : await readToken(tokenFile),
      count: numberOption(args, "count", 5, MOST_PINGS),
      timeoutMs: numberOption(args, "timeout-ms", 5000, LONGEST_MS),
    }),
  );
  if (args.flag("json")) io.out.line(JSON.stringify(answer, undefined, 2));
  else PRINT[verb](answer, io);
  return ExitCode.ok;
}

/** The folder and the name of a service. */
function endpointOf(service: string, runDir: string | undefined) {
  const path = /^(.*)\/([^/]+)\.sock$/.exec(absolutePath(service, Deno.cwd()));
  if (service.endsWith(".sock") && path !== null) {
    if (runDir !== undefined) {
      throw new UsageError("--run-dir does not go with the path of a socket");
    }
    return { runDir: path[1] ?? "", service: path[2] ?? "" };
  }
  return { runDir: absolutePath(runDir ?? RUN_DIR, Deno.cwd()), service };
}

function profileOf(word: string): string {
  const profile = PROFILES.find((known) => known === word);
  if (profile !== undefined) return profile;
  throw new UsageError(`There is no profile ${word}; there is ${PROFILES.join(", ")}`);
}

function numberOption(args: Arguments, name: string, otherwise: number, most: number): number {
  const text = args.text(name);
  if (text === undefined) return otherwise;
  if (/^[1-9]\d{0,8}$/.test(text) && Number(text) <= most) return Number(text);
  throw new UsageError(`--${name} is a whole number from 1 to ${most}, and not ${text}`);
}

async function readToken(file: string): Promise<string> {
  const text = (await readSecret(`\${file:${absolutePath(file, Deno.cwd())}}`)).trim();
  if (/^(?:\d{1,20}|0x[0-9a-fA-F]{1,16})$/.test(text) && BigInt(text) < 2n ** 64n) {
    return `${BigInt(text)}`;
  }
  throw new StopError(`${file} holds no number of 64 bits, in decimal or in hexadecimal behind 0x`);
}

type Answer = Readonly<Record<string, unknown>>;

const PRINT: Readonly<Record<Verb, (answer: Answer, io: Io) => void>> = {
  ping: printPing,
  status: printStatus,
  snapshot: printSnapshot,
};

function wayOf(answer: Answer): string {
  return numberOf(answer, "profile") === 1 ? "the socket" : "shared memory";
}

function printPing(answer: Answer, { out }: Io): void {
  const trips = Array.isArray(answer["tripsMs"]) ? answer["tripsMs"].map(Number) : [];
  const show = (ms: number) => `${(ms * 1000).toFixed(1)} µs`;
  const sum = trips.reduce((total, ms) => total + ms, 0);
  out.line(
    `${trips.length} round trips over ${wayOf(answer)}: fastest ${show(Math.min(...trips))}, ` +
      `mean ${show(sum / trips.length)}, slowest ${show(Math.max(...trips))}`,
  );
}

function printStatus(answer: Answer, { out }: Io): void {
  const number = (name: string) => numberOf(answer, name).toLocaleString("en-US");
  const items = numberOf(answer, "requestItems") === 1 ? "item" : "items";
  out.line(`Messages travel over ${wayOf(answer)}`);
  out.line(`Requests up to ${number("requestBytes")} bytes and ${number("requestItems")} ${items}`);
  out.line(`Responses up to ${number("responseBytes")} bytes`);
  out.line(`Packets up to ${number("packetSize")} bytes`);
  out.line(
    `Session ${number("sessionId")}, after ${numberOf(answer, "connectMs").toFixed(2)} ms`,
  );
}

function printSnapshot(answer: Answer, { out }: Io): void {
  const items = Array.isArray(answer["items"]) ? answer["items"].map(asObject) : [];
  const cells = items.map((item) => [
    escapeControls(String(item["name"]).toWellFormed()),
    String(numberOf(item, "hash")),
    numberOf(item, "enabled") === 0 ? "off" : "on",
    escapeControls(String(item["path"]).toWellFormed()),
  ]);
  const widths = [0, 1, 2].map((at) => Math.max(0, ...cells.map((row) => row[at]?.length ?? 0)));
  for (const row of cells) {
    out.line(row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  "));
  }
  out.line(out.paint.dim(`${items.length} items of generation ${answer["generation"]}`));
}
