/**
 * From a set of a row to requests for the kernel: one for each field, so that one that is refused
 * keeps no other from being made, and so that the kernel's words belong to one field.
 *
 * @module
 */
import { RejectError, RetryLaterError } from "../../core/errors.ts";
import { escapeControls } from "../../core/escape.ts";
import type { Operation } from "../../core/stage.ts";
import type { LinkWish } from "../../../ffi/linkset.ts";
import type { Link } from "./links.ts";

/** The kernel's IFNAMSIZ without the NUL, bytes. */
const LONGEST_NAME = 15;
/** The kernel keeps an MTU in an int. */
const LARGEST_MTU = 0x7fff_ffff;
/** Masters that only take a port that is down. */
const WANT_IT_DOWN: ReadonlySet<string> = new Set(["bond", "team"]);

/** A field of a row that this sink makes true, and its value as the kernel's row has it. */
export type Field = readonly [name: "admin_status" | "mtu" | "master", value: string];

/** A request for the kernel. */
export interface Step {
  /** What the native library is asked. */
  readonly wish: LinkWish;
  /** What it sets; undefined for what only makes way for the next. */
  readonly field?: Field;
}

/** What a set comes to. */
export interface Plan {
  /** In the order in which they are made. */
  readonly steps: readonly Step[];
  /** Why some of it cannot even be asked. */
  readonly errors: readonly (RejectError | RetryLaterError)[];
  /** The master that it waits for. */
  readonly awaits: string | undefined;
}

/** The link of a name, as far as is known. */
export type FindLink = (name: string) => Link | undefined;

type SetOperation = Extract<Operation, { readonly op: "set" }>;

/**
 * Plans a set. The link joins its master before it gets its MTU, which some masters change, and
 * before it comes up, since some masters take no port that is up; a link that is up goes down for
 * these and comes up again. A field that the row loses leaves the link as it is, except that
 * without `master` it leaves its master.
 */
export function planSet({ key, fields, removed }: SetOperation, find: FindLink): Plan {
  if (!isLinkName(key)) {
    const error = new RejectError(`${quoted(key)} is no name that a link can have`);
    return { steps: [], errors: [error], awaits: undefined };
  }
  const { admin_status: admin, mtu } = fields;
  const master = fields["master"] ?? (removed.includes("master") ? "" : undefined);
  const errors: (RejectError | RetryLaterError)[] = [complainOfAdmin(admin), complainOfMtu(mtu)]
    .filter((error) => error !== undefined);
  const steps: Step[] = [];
  const above = master === undefined ? undefined : findMaster(key, master, find);
  if (above instanceof Error) errors.push(above);
  const joins = above === undefined || above instanceof Error ? undefined : above;
  const makesWay = joins !== undefined && WANT_IT_DOWN.has(joins.kind) && find(key)?.up === true;
  if (admin === "down") {
    steps.push({ wish: { link: key, up: false }, field: ["admin_status", admin] });
  } else if (makesWay) steps.push({ wish: { link: key, up: false } });
  if (joins !== undefined && master !== undefined) {
    steps.push({ wish: { link: key, master: joins.ifindex }, field: ["master", master] });
  }
  if (mtu !== undefined && complainOfMtu(mtu) === undefined) {
    steps.push({ wish: { link: key, mtu: Number(mtu) }, field: ["mtu", String(Number(mtu))] });
  }
  if (admin === "up") steps.push({ wish: { link: key, up: true }, field: ["admin_status", admin] });
  else if (makesWay && admin !== "down") steps.push({ wish: { link: key, up: true } });
  return { steps, errors, awaits: above instanceof RetryLaterError ? master : undefined };
}

function complainOfAdmin(value: string | undefined): RejectError | undefined {
  if (value === undefined || value === "up" || value === "down") return undefined;
  return new RejectError(`admin_status is up or down, and not ${quoted(value)}`);
}

function complainOfMtu(value: string | undefined): RejectError | undefined {
  if (value === undefined) return undefined;
  if (/^[0-9]{1,10}$/.test(value) && Number(value) <= LARGEST_MTU) return undefined;
  return new RejectError(`mtu is a number of bytes, and not ${quoted(value)}`);
}

/** What a link is to belong to; index 0 for nothing. */
function findMaster(
  key: string,
  master: string,
  find: FindLink,
): Pick<Link, "ifindex" | "kind"> | RejectError | RetryLaterError {
  if (master === "") return { ifindex: 0, kind: "" };
  if (master === key) return new RejectError(`${key} cannot be its own master`);
  if (!isLinkName(master)) {
    return new RejectError(`${quoted(master)} is no name that a master can have`);
  }
  return find(master) ??
    new RetryLaterError(`There is no link ${master} yet; ${key} joins it as soon as it appears`);
}

/** Whether the kernel would let a link have this name. */
function isLinkName(name: string): boolean {
  return name !== "." && name !== ".." && /^[^\s/:]+$/.test(name) &&
    escapeControls(name) === name && new TextEncoder().encode(name).length <= LONGEST_NAME;
}

function quoted(text: string): string {
  return `"${escapeControls(text.length > 40 ? `${text.slice(0, 40)}…` : text)}"`;
}
