/**
 * Options that several commands have.
 *
 * @module
 */
import type { Option } from "./command.ts";

/** The option that every command with a spec has. */
export const setOption: Option = {
  value: "PATH=VALUE",
  multiple: true,
  description: "change a value of the spec, as in service.log_level=debug",
};

/** Picks one pipeline of a spec. */
export const pipelineOption: Option = {
  value: "NAME",
  description: "only this pipeline of the spec",
};
