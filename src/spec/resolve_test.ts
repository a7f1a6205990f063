import assert from "node:assert/strict";
import type { ComponentConfig, Definition, ResolveContext } from "../core/component.ts";
import { StopError } from "../core/errors.ts";
import { SettingError } from "../core/setting_error.ts";
import { check } from "./check.ts";
import { absolutePath, type Machine } from "./machine.ts";
import { SpecError } from "./errors.ts";
import { resolve, type Resolved } from "./resolve.ts";
import { SourceText } from "./source_text.ts";

const LIBRARY = "/opt/portsync/libportsync.so";

const SPEC = `version: 1
pipelines:
  ports:
    source: { type: netlink, interfaces: ["Ethernet*"] }
    transforms: [{ type: ksync }]
    sinks:
      - type: state_db
        url: unix:///run/redis.sock
        password: \${credential:redis}
`;

/** A machine that has these files, each with its mode. */
function machine(files: Record<string, number>, facts: Partial<Machine> = {}): Machine {
  const missing = (path: string) => new Deno.errors.NotFound(path);
  return {
    uid: 1000,
    environment: (name) => ({ CREDENTIALS_DIRECTORY: "/run/credentials/p", HOME: "/home/x" })[name],
    workingFolder: "/srv",
    readTextFile: (path) => path in files ? Promise.resolve("{}") : Promise.reject(missing(path)),
    stat: (path) => {
      const mode = files[path];
      return mode === undefined
        ? Promise.reject(missing(path))
        : Promise.resolve({ isFile: true, mode });
    },
    ...facts,
  };
}

const FILES = { "/srv/ports.yaml": 0o644, [LIBRARY]: 0o755, "/run/credentials/p/redis": 0o400 };

/** A definition that grants what its settings name. */
function definition(kind: Definition["kind"], type: string): Definition {
  const base = { kind, type, summary: "", examples: [] };
  if (type === "netlink") {
    return { ...base, grants: (_, { library }) => [{ why: "links", ffi: [library] }] };
  }
  if (type !== "state_db") return { ...base, grants: () => [] };
  return {
    ...base,
    keeps: "state",
    resolve: (config: ComponentConfig, context: ResolveContext) =>
      Promise.resolve({ ...config, separator: "|", folder: context.folder }),
    grants: (config) => [{ why: "the server", net: [String(config["url"]).replace("//", "")] }],
  };
}

async function resolveText(
  text: string,
  on: Machine,
  define: (kind: Definition["kind"], type: string) => Definition = definition,
): Promise<Resolved> {
  const checked = await check(new SourceText("ports.yaml", text), { environment: () => undefined });
  return await resolve(checked, {
    machine: on,
    definition: (kind, type) => Promise.resolve(define(kind, type)),
    library: LIBRARY,
  });
}

Deno.test("resolve() completes a spec to a frozen plan of plain JSON", async () => {
  const { plan } = await resolveText(SPEC, machine(FILES));
  assert.equal(plan.file, "/srv/ports.yaml");
  const [pipeline = assert.fail()] = plan.pipelines;
  assert.equal(pipeline.name, "ports");
  assert.equal(pipeline.library, LIBRARY);
  const [sink] = pipeline.sinks;
  assert.equal(sink?.["separator"], "|");
  assert.equal(sink?.["folder"], "/srv");
  assert.deepEqual(pipeline.transforms[0]?.["owns"], { keys: ["Ethernet*"], field: "state" });
  assert.deepEqual(JSON.parse(JSON.stringify(plan)), plan);
  assert(Object.isFrozen(pipeline.source) && Object.isFrozen(pipeline.grant.net));
});

Deno.test("resolve() grants what the components need, the secret and the lock", async () => {
  const { plan, reads } = await resolveText(SPEC, machine(FILES));
  const [{ grant, reasons, sinks } = assert.fail()] = plan.pipelines;
  const lock = "/tmp/portsync-1000/ports.lock";
  assert.deepEqual(grant, {
    read: ["/run/credentials/p/redis", lock],
    write: [lock],
    net: ["unix:/run/redis.sock"],
    ffi: [LIBRARY],
    native: [],
  });
  assert.equal(sinks[0]?.["password"], "${file:/run/credentials/p/redis}");
  assert.deepEqual(reasons.map(({ why }) => why), [
    "state_db: the secret of password",
    "netlink: links",
    "state_db: the server",
    "the lock that keeps two writers apart",
  ]);
  assert.deepEqual(reads, ["/opt/portsync/libportsync.so", "/run/credentials/p/redis"]);
});

Deno.test("resolve() finds the folders of root, of a session and of everybody else", async () => {
  const folders = async (facts: Partial<Machine>) => {
    const { plan } = await resolveText(SPEC, machine(FILES, facts));
    return [plan.service.runtime_folder, plan.service.data_folder];
  };
  const environment = (values: Record<string, string>): Machine["environment"] => (name) =>
    ({ CREDENTIALS_DIRECTORY: "/run/credentials/p", ...values })[name];
  assert.deepEqual(await folders({ uid: 0 }), ["/run/portsync", "/var/lib/portsync"]);
  assert.deepEqual(
    await folders({
      environment: environment({ XDG_RUNTIME_DIR: "/run/user/7", XDG_STATE_HOME: "/home/s" }),
    }),
    ["/run/user/7/portsync", "/home/s/portsync"],
  );
  assert.deepEqual(await folders({ uid: 7, environment: environment({ HOME: "/home/x" }) }), [
    "/tmp/portsync-7",
    "/home/x/.local/state/portsync",
  ]);
  assert.deepEqual(await folders({ uid: undefined, environment: environment({}) }), [
    "/tmp/portsync",
    "/tmp/portsync/data",
  ]);
});

Deno.test("resolve() takes folders of the spec from the spec's own folder", async () => {
  const text = `service: { runtime_folder: run, data_folder: /data/../d }\n${SPEC}`;
  const { plan } = await resolveText(text, machine(FILES));
  assert.equal(plan.service.runtime_folder, "/srv/run");
  assert.equal(plan.service.data_folder, "/d");
});

Deno.test("resolve() says all that the machine does not have, each at its place", async () => {
  const define = (kind: Definition["kind"], type: string): Definition => {
    const plain = definition(kind, type);
    const refuse = (message: string, path: readonly string[]) => ({
      ...plain,
      resolve: () => Promise.reject(new SettingError(message, path)),
    });
    if (type === "state_db") return refuse("No such server", ["url"]);
    return type === "netlink" ? refuse("No such link", ["interfaces"]) : plain;
  };
  await assert.rejects(resolveText(SPEC, machine({}), define), (error) => {
    assert(error instanceof SpecError);
    const places = error.complaints.map(({ line, column, message }) => [line, column, message]);
    assert.deepEqual(places, [
      [4, 42, "No such link"],
      [8, 14, "No such server"],
      [9, 19, "There is no secret /run/credentials/p/redis"],
    ]);
    return true;
  });
});

Deno.test("resolve() asks no component for permissions when one could not be completed", async () => {
  const define = (kind: Definition["kind"], type: string): Definition => ({
    ...definition(kind, type),
    resolve: () => Promise.reject(new SettingError("Not here", ["type"])),
    grants: () => {
      throw new StopError("The settings are not complete");
    },
  });
  await assert.rejects(resolveText(SPEC, machine(FILES), define), SpecError);
});

Deno.test("A component can look whether a file is there", async () => {
  const answers: boolean[] = [];
  const define = (kind: Definition["kind"], type: string): Definition => ({
    ...definition(kind, type),
    resolve: async (config, context) => {
      answers.push(await context.isFile("/srv/ports.yaml"), await context.isFile("/no/file"));
      return config;
    },
  });
  const { reads } = await resolveText(SPEC, machine(FILES), define);
  assert.deepEqual(answers, [true, false, true, false, true, false]);
  assert(reads.includes("/no/file"));
});

Deno.test("resolve() says how a unit gets its credentials", async () => {
  const bare = machine(FILES, { environment: () => undefined });
  await assert.rejects(resolveText(SPEC, bare), /LoadCredential=redis:\/path/);
});

Deno.test("resolve() refuses files that others than root may change, when it is root", async () => {
  for (const path of ["/srv/ports.yaml", LIBRARY]) {
    for (const mode of [0o664, 0o646]) {
      const files = { ...FILES, [path]: mode };
      await assert.rejects(resolveText(SPEC, machine(files, { uid: 0 })), (error) => {
        assert(error instanceof StopError);
        assert.match(error.message, new RegExp(`^${path} can be changed .* chmod go-w ${path}$`));
        return true;
      });
      await resolveText(SPEC, machine(files));
    }
  }
});

Deno.test("resolve() says how the native library is built where it is missing", async () => {
  const { [LIBRARY]: _, ...files } = FILES;
  await assert.rejects(
    resolveText(SPEC, machine(files)),
    /is missing; build it with deno task build/,
  );
});

Deno.test("resolve() lets an error of another kind through", async () => {
  const define = (kind: Definition["kind"], type: string): Definition => ({
    ...definition(kind, type),
    resolve: () => Promise.reject(new StopError("The server is on fire")),
  });
  await assert.rejects(resolveText(SPEC, machine(FILES), define), StopError);
});

Deno.test("absolutePath() joins and cleans up", () => {
  assert.equal(absolutePath("a/./b/../c", "/srv"), "/srv/a/c");
  assert.equal(absolutePath("/a//b/", "/srv"), "/a/b");
  assert.equal(absolutePath("../../../x", "/srv"), "/x");
  assert.equal(absolutePath("..", "/srv/spec.yaml"), "/srv");
});
