/**
 * The databases of SONiC where no file says otherwise.
 * Source: `specs/sonic-db.md` §1.1, after sonic-buildimage `dockers/docker-database`.
 *
 * @module
 */

/** What stands between a table's name and a key. SONiC knows no other two. */
export type Separator = ":" | "|";

/** Number and separator of each name. Two names may share a number. */
export const FALLBACK_DATABASES: ReadonlyMap<
  string,
  { readonly id: number; readonly separator: Separator }
> = new Map([
  ["APPL_DB", { id: 0, separator: ":" }],
  ["ASIC_DB", { id: 1, separator: ":" }],
  ["COUNTERS_DB", { id: 2, separator: ":" }],
  ["LOGLEVEL_DB", { id: 3, separator: ":" }],
  ["CONFIG_DB", { id: 4, separator: "|" }],
  ["PFC_WD_DB", { id: 5, separator: ":" }],
  ["FLEX_COUNTER_DB", { id: 5, separator: ":" }],
  ["STATE_DB", { id: 6, separator: "|" }],
  ["SNMP_OVERLAY_DB", { id: 7, separator: "|" }],
  ["RESTAPI_DB", { id: 8, separator: "|" }],
  ["GB_ASIC_DB", { id: 9, separator: ":" }],
  ["GB_COUNTERS_DB", { id: 10, separator: ":" }],
  ["GB_FLEX_COUNTER_DB", { id: 11, separator: ":" }],
  ["CHASSIS_APP_DB", { id: 12, separator: "|" }],
  ["CHASSIS_STATE_DB", { id: 13, separator: "|" }],
  ["APPL_STATE_DB", { id: 14, separator: ":" }],
  ["DPU_APPL_DB", { id: 15, separator: ":" }],
  ["PROFILE_DB", { id: 15, separator: "|" }],
  ["DPU_APPL_STATE_DB", { id: 16, separator: "|" }],
  ["DPU_STATE_DB", { id: 17, separator: "|" }],
  ["DPU_COUNTERS_DB", { id: 18, separator: ":" }],
]);
