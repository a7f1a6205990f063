import assert from "node:assert/strict";
import { RejectError, RetryLaterError, StopError } from "../../core/errors.ts";
import { nativeError } from "../../../ffi/errors.ts";
import type { Step } from "./plan.ts";
import { forbidden, isForbidden, isStaleMaster, verdictOf, worstOf } from "./verdict.ts";

const MTU: Step = { wish: { link: "Ethernet0", mtu: 99_999 }, field: ["mtu", "99999"] };
const LEAVE: Step = { wish: { link: "Ethernet0", master: 0 }, field: ["master", ""] };
const DOWN: Step = { wish: { link: "Ethernet0", up: false } };

function verdict(errno: number, words = "", step = MTU): Error {
  return verdictOf(step, nativeError(errno, "change the link Ethernet0", words));
}

Deno.test("verdictOf() waits for a link that is not there", () => {
  const error = verdict(19);
  assert(error instanceof RetryLaterError);
  assert.equal(error.message, "There is no link Ethernet0 yet; it is set up as soon as it appears");
});

Deno.test("verdictOf() tries again where the kernel is busy or short of something", () => {
  for (
    const [errno, code] of [[16, "EBUSY"], [105, "ENOBUFS"], [12, "ENOMEM"], [
      11,
      "EAGAIN",
    ]] as const
  ) {
    const error = verdict(errno);
    assert(error instanceof RetryLaterError);
    assert.match(error.message, new RegExp(`^Ethernet0 could not get mtu 99999 now: .*${code}`));
  }
});

Deno.test("verdictOf() refuses what the kernel refuses, in its words", () => {
  const error = verdict(22, "mtu greater than device maximum");
  assert(error instanceof RejectError);
  assert.equal(
    error.message,
    "The kernel refuses Ethernet0 mtu 99999: mtu greater than device maximum (EINVAL)",
  );
  assert.match(verdict(34).message, /mtu 99999: a value is out of range \(ERANGE\)$/);
  assert.match(
    verdict(95, "", LEAVE).message,
    /^The kernel refuses Ethernet0 no master: .*EOPNOTSUPP/,
  );
  assert.match(
    verdict(1, "is up", DOWN).message,
    /^The kernel refuses Ethernet0 to be down for its/,
  );
  for (const errno of [1, 22, 34, 95, 500]) assert(verdict(errno) instanceof RejectError);
});

Deno.test("verdictOf() passes on what never reached the kernel", () => {
  const error = new RejectError("There can be no link");
  assert.equal(verdictOf(MTU, error), error);
});

Deno.test("isForbidden() and isStaleMaster() doubt only what the kernel said nothing about", () => {
  assert(isForbidden(nativeError(1, "change")));
  assert(!isForbidden(nativeError(1, "change", "Device can not be enslaved while up")));
  assert(!isForbidden(nativeError(22, "change")));
  assert(!isForbidden(undefined));
  assert(isStaleMaster(nativeError(22, "change")));
  assert(!isStaleMaster(nativeError(22, "change", "words")));
  assert(forbidden() instanceof StopError);
  assert.match(forbidden().message, /EPERM.*CAP_NET_ADMIN/);
});

Deno.test("worstOf() prefers to stop, then to refuse, then to wait", () => {
  const [wait, refuse, stop] = [new RetryLaterError("w"), new RejectError("r"), new StopError("s")];
  assert.equal(worstOf([wait, refuse, stop]), stop);
  assert.equal(worstOf([wait, refuse]), refuse);
  assert.equal(worstOf([wait]), wait);
  assert.equal(worstOf([]), undefined);
});
