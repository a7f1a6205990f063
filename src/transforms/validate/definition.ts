/**
 * What the `validate` transform says about itself.
 *
 * @module
 */
import type { StateDbConfig } from "../../../schemas/state_db.ts";
import type { ValidateConfig } from "../../../schemas/validate.ts";
import type {
  ComponentConfig,
  Definition,
  GrantPart,
  ResolveContext,
} from "../../core/component.ts";
import { secretFile } from "../../core/secret.ts";
import { SettingError } from "../../core/setting_error.ts";
import { absolutePath, type Located, locateDatabase } from "../../sonic/locate.ts";
import { databaseGrants } from "../../sonic/server_settings.ts";
import { readSettings } from "./settings.ts";

type PortsConfig = NonNullable<ValidateConfig["ports"]>;

/** The tables in which a switch lists its ports. */
const PORT_TABLES = { APPL_DB: "PORT_TABLE", CONFIG_DB: "PORT" } as const;

/** How long one attempt to connect may take where no sink says it, milliseconds. */
const CONNECT_TIMEOUT_MS = 5000;

/** How long an answer may take where no sink says it, milliseconds. */
const REQUEST_TIMEOUT_MS = 3000;

/** The `validate` transform. */
export const definition: Definition<ValidateConfig> = {
  kind: "transform",
  type: "validate",
  summary: "Lets through only what may become a row: names, values in range, known ports.",
  examples: [
    {
      title: "Ports that APPL_DB knows; the others are held back until their row appears",
      config: { type: "validate", ports: { database: "APPL_DB", hold_max: 4096, poll_ms: 2000 } },
    },
    {
      title: "Front-panel ports only, known or not",
      config: { type: "validate", interfaces: ["Ethernet*"] },
    },
  ],
  async resolve(checked: ValidateConfig, context: ResolveContext): Promise<ComponentConfig> {
    if (checked.ports === undefined) return checked;
    return { ...checked, ports: await resolvePorts(checked.ports, context) };
  },
  grants(config: ComponentConfig): GrantPart[] {
    const { ports } = readSettings(config);
    if (ports === undefined) return [];
    return databaseGrants(ports.server, `${ports.table} of ${ports.server.name}`);
  },
};

/** `database` as a number, and everything else that a connection needs. */
async function resolvePorts(
  ports: PortsConfig,
  context: ResolveContext,
): Promise<Record<string, unknown>> {
  const sink = onlyRedisSink(context);
  const settings = { ...ports, database_config: ports.database_config ?? sink?.database_config };
  const { place, sinkUrl } = await locatePorts(settings, sink, context);
  const shared = place.url === sinkUrl ? sink : undefined;
  const username = ports.username ?? shared?.username;
  const password = ports.password ?? shared?.password;
  const ca = ports.ca_certificate ?? shared?.ca_certificate;
  if (password !== undefined && secretFile(password) === undefined) {
    throw new SettingError(
      "The sink's password is a systemd credential; name it here too, as password",
      ["ports"],
    );
  }
  return {
    ...place,
    name: ports.database,
    table: ports.table ?? PORT_TABLES[ports.database],
    hold_max: ports.hold_max,
    poll_ms: ports.poll_ms,
    connect_timeout_ms: sink?.connect_timeout_ms ?? CONNECT_TIMEOUT_MS,
    request_timeout_ms: sink?.request_timeout_ms ?? REQUEST_TIMEOUT_MS,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca_certificate: absolutePath(context.folder, ca) }),
  };
}

/**
 * The server of the ports: what the spec says; otherwise the one Redis sink's server, unless that
 * is the very server that `database_config.json` names for the sink's database: then the file
 * also says where the ports are, and on a switch with several servers that is another one.
 */
async function locatePorts(
  ports: PortsConfig,
  sink: StateDbConfig | undefined,
  context: ResolveContext,
): Promise<{ readonly place: Located; readonly sinkUrl: string | undefined }> {
  const byFile = sink && await located({ ...sink, url: undefined }, context);
  const sinkUrl = sink?.url ?? byFile?.url;
  const url = ports.url ?? (sinkUrl === byFile?.url ? undefined : sinkUrl);
  return { place: await locateDatabase({ ...ports, url }, context, ["ports"]), sinkUrl };
}

/** Where a file says the sink's database is; a complaint about it is the sink's own to make. */
async function located(sink: StateDbConfig, context: ResolveContext): Promise<Located | undefined> {
  try {
    return await locateDatabase(sink, context);
  } catch (error) {
    if (error instanceof SettingError) return undefined;
    throw error;
  }
}

function onlyRedisSink({ pipeline }: ResolveContext): StateDbConfig | undefined {
  const sinks = pipeline.sinks.filter(isStateDb).filter(({ url }) => !url?.startsWith("sqlite:"));
  return sinks.length === 1 ? sinks[0] : undefined;
}

/** The schema has checked every neighbour before. */
function isStateDb(sink: ComponentConfig): sink is StateDbConfig {
  return sink.type === "state_db";
}
