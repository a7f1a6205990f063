/**
 * What the `state_db` sink says about itself.
 *
 * @module
 */
import type { StateDbConfig } from "../../../schemas/state_db.ts";
import type {
  ComponentConfig,
  Definition,
  GrantPart,
  ResolveContext,
} from "../../core/component.ts";
import { absolutePath, locateDatabase } from "../../sonic/locate.ts";
import { databaseGrants } from "../../sonic/server_settings.ts";
import { readSettings, SQLITE } from "./settings.ts";

/** The `state_db` sink. */
export const definition: Definition<StateDbConfig> = {
  kind: "sink",
  type: "state_db",
  keeps: "state",
  summary: "The last state of each key as hashes of a SONiC database, in Redis or in a file.",
  examples: [
    {
      title: "STATE_DB of this switch, where database_config.json says",
      config: { type: "state_db" },
    },
    {
      title: "A server with a user and a secret",
      config: {
        type: "state_db",
        url: "rediss://db.example.net:6380",
        database: "STATE_DB",
        username: "portsync",
        password: "${file:/etc/portsync/redis.secret}",
      },
    },
    {
      title: "A file, for development anywhere",
      config: { type: "state_db", url: "sqlite:ports.db" },
    },
  ],
  resolve,
  grants(config: ComponentConfig): GrantPart[] {
    const settings = readSettings(config);
    if (settings.store === "sqlite") {
      // SQLite keeps its log and its index beside the file.
      const files = ["", "-wal", "-shm", "-journal"].map((end) => settings.file + end);
      return [{ why: `the rows are kept in ${settings.file}`, read: files, write: files }];
    }
    return databaseGrants(settings, settings.name);
  },
};

/** `url` and paths absolute, `database` a number, and `name` and `separator` that go with it. */
async function resolve(
  checked: StateDbConfig,
  context: ResolveContext,
): Promise<ComponentConfig> {
  const name = String(checked.database);
  if (checked.url?.startsWith(SQLITE)) {
    const file = absolutePath(context.folder, checked.url.slice(SQLITE.length));
    return { ...checked, url: `${SQLITE}${file}`, name };
  }
  const { ca_certificate: ca, ...rest } = checked;
  return {
    ...rest,
    ...await locateDatabase(checked, context),
    name,
    ...(ca === undefined ? {} : { ca_certificate: absolutePath(context.folder, ca) }),
  };
}
