import assert from "node:assert/strict";
import { check } from "./check.ts";
import { SpecError } from "./errors.ts";
import { override } from "./overrides.ts";
import { SourceText } from "./source_text.ts";

const SPEC = `version: 1
pipelines:
  ports:
    source: { type: netlink }
    transforms: [{ type: ksync }]
    sinks: [{ type: state_db }]
`;

/** The complaints about a good spec with these arguments. */
async function refusal(...overrides: string[]): Promise<string> {
  const error = await check(new SourceText("ports.yaml", SPEC), { overrides }).then(
    () => assert.fail(`${overrides} was taken`),
    (error: unknown) => error,
  );
  assert(error instanceof SpecError, String(error));
  return error.message;
}

Deno.test("--set puts values of the type that the schema wants", async () => {
  const { config } = await check(new SourceText("ports.yaml", SPEC), {
    overrides: [
      "service.log_level=debug",
      "service.shutdown_ms=7",
      'pipelines.ports.source.interfaces=["Ethernet*"]',
      "pipelines.ports.sinks.0.table=T1",
      "pipelines.ports.sinks[0].username=5",
      "pipelines.ports.sinks[0].required=false",
      "pipelines.ports.sinks[0].database=6",
    ],
  });
  assert.equal(config.service.log_level, "debug");
  assert.equal(config.service.shutdown_ms, 7);
  const { source, sinks } = config.pipelines["ports"] ?? assert.fail();
  assert.deepEqual("interfaces" in source && source.interfaces, ["Ethernet*"]);
  const [sink] = sinks;
  assert(sink?.type === "state_db");
  const { table, username, required, database } = sink;
  assert.deepEqual({ table, username, required, database }, {
    table: "T1",
    username: "5",
    required: false,
    database: 6,
  });
});

Deno.test("--set reads ${NAME} as the file does", async () => {
  const { config } = await check(new SourceText("ports.yaml", SPEC), {
    overrides: ["service.shutdown_ms=${STOP_MS}"],
    environment: (name) => name === "STOP_MS" ? "12" : undefined,
  });
  assert.equal(config.service.shutdown_ms, 12);
});

Deno.test("A later --set wins over an earlier one", () => {
  assert.deepEqual(override({}, ["a.b=1", "a.b=2", "a.c=3"]).tree, { a: { b: 2, c: 3 } });
});

Deno.test("--set can lengthen a list by one", () => {
  assert.deepEqual(override({ a: [1] }, ["a[1]=2", "a.2=3"]).tree, { a: [1, 2, 3] });
  assert.throws(() => override({ a: [1] }, ["a[2]=2"]), /Expected a number from 0 to 1/);
  assert.throws(() => override({ a: [1] }, ["a.x=2"]), /Expected a number from 0 to 1/);
});

Deno.test("The tree of the file stays as it was", () => {
  const tree = { a: { b: 1 } };
  override(tree, ["a.b=2"]);
  assert.deepEqual(tree, { a: { b: 1 } });
});

Deno.test("A complaint about a value of --set points into the argument", async () => {
  assert.equal(
    await refusal("service.log_format=json", "service.log_level=loud"),
    '--set:2:19: Expected debug, info, warn or error, got "loud"\n' +
      "  at service.log_level\n" +
      "  2 | service.log_level=loud\n" +
      "    |                   ^^^^",
  );
});

Deno.test("A complaint about an option that only --set has points at its name", async () => {
  assert.match(
    await refusal("pipelines.ports.source.interface=1"),
    /^--set:1:24: Unknown option "interface" of netlink; did you mean "interfaces"\?$/m,
  );
  assert.match(await refusal("servise.log_level=debug"), /^--set:1:1: Unknown option "servise"/m);
  assert.match(
    await refusal("pipelines.more.source.type=netlink"),
    /^--set:1:11: The option "sinks" is missing$/m,
  );
});

Deno.test("What a --set breaks elsewhere is said at the file's line", async () => {
  assert.match(
    await refusal("pipelines.ports.transforms=[]"),
    /^ports\.yaml:6:21: state_db keeps state and needs ksync/m,
  );
});

Deno.test("A --set that is no path=value is refused where it goes wrong", async () => {
  assert.match(await refusal("service"), /^--set:1:1: Expected path=value/);
  assert.match(await refusal("=1"), /^--set:1:1: Expected path=value/);
  assert.match(await refusal("service..log_level=x"), /^--set:1:8: Expected names with dots/);
  assert.match(await refusal("a[x]=1"), /^--set:1:2: Expected names with dots/);
  assert.match(await refusal("version.x=1"), /^--set:1:9: "version" is a whole number/);
  assert.match(await refusal("a.__proto__.b=1"), /^--set:1:3: There is no such option/);
  const deep = "[".repeat(100) + "]".repeat(100);
  assert.match(await refusal(`a=${deep}`), /^--set:1:3: Nested deeper/);
});

Deno.test("A secret in an argument is refused and not printed", async () => {
  const message = await refusal("pipelines.ports.sinks[0].password=hunter2");
  assert.match(message, /^--set:1:35: A secret does not stand in a spec/);
  assert(!message.includes("hunter2"), message);
});
