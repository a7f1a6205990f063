/** The sink works under exactly the permissions that its definition asks for. */
import assert from "node:assert/strict";
import { stateDbSchema } from "../schemas/state_db.ts";
import type { ComponentConfig, GrantPart } from "../src/core/component.ts";
import { definition } from "../src/sinks/state_db/definition.ts";
import { startRedis } from "./support/redis.ts";
import { resolveContext } from "./support/resolve.ts";

const PROBE = new URL("./support/state_db_probe.ts", import.meta.url).pathname;

async function resolved(config: object): Promise<ComponentConfig> {
  assert.ok(definition.resolve);
  const checked = stateDbSchema.parse({ type: "state_db", ...config });
  return await definition.resolve(checked, resolveContext());
}

function flags(parts: readonly GrantPart[]): string[] {
  return (["net", "read", "write"] as const).flatMap((kind) => {
    const entries = parts.flatMap((part) => part[kind] ?? []);
    return entries.length > 0 ? [`--allow-${kind}=${entries.join(",")}`] : [];
  });
}

/** Writes one row and reads the table, in a process of its own. */
async function probe(config: ComponentConfig, permissions: readonly string[]): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--quiet", ...permissions, PROBE, JSON.stringify(config)],
    stdout: "piped",
    stderr: "inherit",
  }).output();
  return new TextDecoder().decode(stdout).trim();
}

async function assertEnough(config: ComponentConfig): Promise<void> {
  const permissions = flags(definition.grants(config, resolveContext()));
  assert.equal(await probe(config, permissions), '[{"key":"Ethernet0","fields":{"state":"ok"}}]');
}

Deno.test("state_db over a unix socket needs no more than its grant, and no less", async () => {
  await using server = await startRedis({ password: "secret" });
  const file = `${server.folder}/secret`;
  await Deno.writeTextFile(file, "secret\n");
  const config = await resolved({ url: server.url, password: `\${file:${file}}` });
  await assertEnough(config);
  const permissions = flags(definition.grants(config, resolveContext()));
  for (const missing of permissions) {
    const fewer = permissions.filter((flag) => flag !== missing);
    assert.match(await probe(config, fewer), /not permitted to connect|not in this process/);
  }
});

Deno.test("state_db over TCP needs no more than its grant", async () => {
  await using server = await startRedis({ tcp: true });
  await assertEnough(await resolved({ url: server.tcpUrl }));
});

Deno.test("state_db in a file needs no more than its grant", async () => {
  const folder = await Deno.makeTempDir({ prefix: "portsync-grant-" });
  try {
    await assertEnough(await resolved({ url: `sqlite:${folder}/ports.db` }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
