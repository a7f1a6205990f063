/**
 * The check phase under specs that nobody would write: it answers with a plan or with complaints,
 * and with nothing else.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { check } from "../src/spec/check.ts";
import { SpecError } from "../src/spec/errors.ts";
import { decodeSpec, SourceText } from "../src/spec/source_text.ts";

const EXAMPLES = new URL("../examples/", import.meta.url);

/** Words that a spec is made of, so that random trees come close to one. */
const WORDS = [
  ...["version", "service", "pipelines", "source", "transforms", "sinks", "type", "netlink"],
  ...[
    "validate",
    "ksync",
    "state_db",
    "interfaces",
    "ports",
    "url",
    "database",
    "password",
    "owns",
  ],
  ...[
    "keys",
    "Ethernet*",
    "[a",
    "${HOME}",
    "${X:-1}",
    "${file:/x}",
    "${",
    "unix:///x",
    "__proto__",
  ],
  ...["constructor", "toString", "", "<<", "a b", "1", "true", "STATE_DB", "retry", "sweep"],
];

const word = fc.constantFrom(...WORDS);

/** Any value of JSON, most of the time with words that mean something. */
const tree: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    { weight: 4, arbitrary: word },
    { weight: 1, arbitrary: fc.oneof(fc.integer(), fc.boolean(), fc.constant(null), fc.double()) },
    { weight: 1, arbitrary: fc.string() },
    { weight: 3, arbitrary: fc.array(tie("value"), { maxLength: 3 }) },
    { weight: 6, arbitrary: fc.dictionary(word, tie("value"), { maxKeys: 5 }) },
  ),
})).value;

/** A good spec with one part of it replaced. */
const nearSpec: fc.Arbitrary<unknown> = fc.record({
  version: fc.oneof({ weight: 8, arbitrary: fc.constant(1) }, tree),
  pipelines: fc.dictionary(
    fc.oneof(fc.constantFrom("a", "b", "c"), word),
    fc.record({
      source: fc.oneof(fc.constant({ type: "netlink" }), component("netlink"), tree),
      transforms: fc.oneof(fc.constant([{ type: "ksync" }]), fc.array(component("ksync")), tree),
      sinks: fc.oneof(fc.constant([{ type: "state_db" }]), fc.array(component("state_db")), tree),
    }, { requiredKeys: [] }),
    { maxKeys: 3 },
  ),
}, { requiredKeys: [] });

function component(type: string): fc.Arbitrary<unknown> {
  return fc.dictionary(word, tree, { maxKeys: 3 }).map((options) => ({ ...options, type }));
}

/** What the check answers; fails for anything but a config or complaints with a place. */
async function answer(source: () => SourceText, overrides: string[] = []): Promise<string> {
  try {
    const environment = (name: string) => name === "HOME" ? "/home/x" : undefined;
    const { config } = await check(source(), { environment, overrides });
    assert.equal(config.version, 1);
    return "";
  } catch (error) {
    assert(error instanceof SpecError, `${error instanceof Error ? error.stack : error}`);
    assert(error.complaints.length > 0);
    for (const { line, column, message } of error.complaints) {
      assert(line >= 1 && column >= 1 && message !== "");
      assert.doesNotMatch(message, /\n|\.$|undefined|\[object/);
    }
    return error.message;
  }
}

Deno.test("check() answers any tree with a plan or with complaints, never with another error", async () => {
  for (const arbitrary of [tree, nearSpec]) {
    await fc.assert(
      fc.asyncProperty(arbitrary, fc.constantFrom(undefined, 2), async (value, indent) => {
        await answer(() => new SourceText("x.yaml", JSON.stringify(value, undefined, indent)));
      }),
      { numRuns: 500 },
    );
  }
});

Deno.test("check() finds something to say about every option that it does not know", async () => {
  const name = fc.stringMatching(/^[a-z]{6,12}$/).map((letters) => `${letters}_q`);
  await fc.assert(
    fc.asyncProperty(name, fc.nat(4), async (option, place) => {
      const at = (index: number) => index === place ? { [option]: 1 } : {};
      const spec = {
        ...{ version: 1, service: at(0), ...at(1) },
        pipelines: {
          a: {
            ...at(2),
            source: { type: "netlink", ...at(3) },
            transforms: [{ type: "ksync", retry: at(4) }],
            sinks: [{ type: "state_db" }],
          },
        },
      };
      const said = await answer(() => new SourceText("x.yaml", JSON.stringify(spec)));
      assert(said.includes(`Unknown option "${option}"`), said);
    }),
    { numRuns: 200 },
  );
});

Deno.test("Any --set is an override or a complaint", async () => {
  const text = await Deno.readTextFile(new URL("sonic.yaml", EXAMPLES));
  const path = fc.array(fc.oneof(word, fc.constantFrom("port-sync", "[0]", "0")), { maxLength: 6 });
  const value = fc.oneof(word, fc.json({ maxDepth: 3 }), fc.string());
  const argument = fc.oneof(
    fc.string(),
    fc.tuple(path, value).map(([steps, one]) => {
      return `${steps.join(".").replaceAll(".[", "[")}=${one}`;
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(argument, { maxLength: 3 }), async (overrides) => {
      await answer(() => new SourceText("x.yaml", text), overrides);
    }),
    { numRuns: 500 },
  );
});

Deno.test("Mutations of the examples are read or refused, byte for byte", async () => {
  for await (const { name } of Deno.readDir(EXAMPLES)) {
    if (!/\.(yaml|toml)$/.test(name)) continue;
    const bytes = await Deno.readFile(new URL(name, EXAMPLES));
    await fc.assert(
      fc.asyncProperty(
        fc.array(mutation(bytes.length), { minLength: 1, maxLength: 6 }),
        async (all) => {
          const mutated = all.reduce<Uint8Array>((text, mutate) => mutate(text), bytes);
          await answer(() => decodeSpec(name, mutated));
        },
      ),
      { numRuns: 250 },
    );
  }
});

/** One change of a text: bytes put in, taken out, written over or repeated. */
function mutation(length: number): fc.Arbitrary<(bytes: Uint8Array) => Uint8Array> {
  const place = fc.nat(length);
  const signs = fc.oneof(
    fc.constantFrom(...`:-#[]{}"'\n\t &*!|>%@=,.?\\$~<`).map((sign) => sign.charCodeAt(0)),
    fc.nat(255),
  );
  const inserted = fc.array(signs, { maxLength: 4 });
  return fc.tuple(place, fc.nat(8), inserted).map(([at, taken, put]) => (bytes) =>
    new Uint8Array([...bytes.subarray(0, at), ...put, ...bytes.subarray(at + taken)])
  );
}
