/**
 * What a sink's outcome means to the engine.
 *
 * @module
 */
import type { Context } from "../../core/component.ts";
import { RejectError, StopError } from "../../core/errors.ts";
import type { Outcome } from "../../core/stage.ts";
import { type Answer, OK } from "./answers.ts";

/** Turns an outcome into an answer; what only an operator can mend ends the pipeline. */
export function answerOf(outcome: Outcome | undefined, context: Pick<Context, "fail">): Answer {
  if (outcome?.ok) {
    return outcome.added === undefined ? OK : { kind: "ok", added: outcome.added };
  }
  const error = outcome?.error ?? new Error("The sink gave no outcome for an operation");
  if (error instanceof StopError) context.fail(error);
  const isFinal = error instanceof RejectError || error instanceof StopError;
  return { kind: isFinal ? "permanent" : "transient", error };
}
