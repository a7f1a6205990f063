/**
 * What the `table` source says about itself.
 *
 * @module
 */
import type { TableConfig } from "../../../schemas/table.ts";
import type {
  ComponentConfig,
  Definition,
  GrantPart,
  ResolveContext,
} from "../../core/component.ts";
import { absolutePath, locateDatabase } from "../../sonic/locate.ts";
import { databaseGrants } from "../../sonic/server_settings.ts";
import { readSettings } from "./settings.ts";

/** The `table` source. */
export const definition: Definition<TableConfig> = {
  kind: "source",
  type: "table",
  summary: "Rows of CONFIG_DB, STATE_DB or any other database of SONiC: all of them at the start " +
    "and after every reconnect, and then what changes, as keyspace notifications tell.",
  examples: [
    {
      title: "What CONFIG_DB wants of the front-panel ports",
      config: {
        type: "table",
        database: "CONFIG_DB",
        table: "PORT",
        keys: ["Ethernet*"],
        fields: ["admin_status", "mtu"],
      },
    },
    {
      title: "The members of VLANs as STATE_DB has them, on another machine",
      config: {
        type: "table",
        url: "redis://192.0.2.7:6379",
        database: "STATE_DB",
        table: "VLAN_MEMBER_TABLE",
        keys: ["Vlan*|Ethernet*"],
      },
    },
  ],
  resolve,
  grants(config: ComponentConfig): GrantPart[] {
    const { server, table } = readSettings(config);
    return databaseGrants(server, `${table} of ${server.name}`);
  },
};

/** `database` a number, paths absolute, and `name` and `separator` that go with it. */
async function resolve(checked: TableConfig, context: ResolveContext): Promise<ComponentConfig> {
  const { ca_certificate: ca, ...rest } = checked;
  return {
    ...rest,
    ...await locateDatabase(checked, context),
    name: String(checked.database),
    ...(ca === undefined ? {} : { ca_certificate: absolutePath(context.folder, ca) }),
  };
}
