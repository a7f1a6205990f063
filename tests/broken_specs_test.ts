/**
 * Broken specs, each answered at the right place, in words, at once.
 *
 * @module
 */
import assert from "node:assert/strict";
import { check } from "../src/spec/check.ts";
import { main } from "../src/cli/main.ts";
import { ExitCode } from "../src/core/errors.ts";
import { SpecError } from "../src/spec/errors.ts";
import { decodeSpec } from "../src/spec/source_text.ts";
import { fakeIo } from "./support/io.ts";

const FOLDER = new URL("data/broken/", import.meta.url).pathname;

/** What a file must be answered with: line, column and a part of the message. */
type Place = readonly [line: number, column: number, message: string];

const EXPECTED: Readonly<Record<string, readonly Place[]>> = {
  "syntax_tab.yaml": [[3, 1, "A tab cannot indent"]],
  "syntax_unclosed_quote.yaml": [[3, 14, "This quote is never closed"]],
  "syntax_unclosed_bracket.yaml": [[4, 12, "This bracket is never closed"]],
  "syntax_second_colon.yaml": [[3, 16, "A second colon in one line"]],
  "syntax_missing_colon.yaml": [[3, 3, "A key without a colon"]],
  "syntax_indentation.yaml": [[4, 1, "check the indentation"]],
  "syntax_bad_escape.yaml": [[3, 18, "Invalid escape sequence"]],
  "syntax_two_documents.yaml": [[2, 1, "A second document begins here"]],
  "syntax_tag.yaml": [[1, 10, "Tags have no meaning"]],
  "syntax_reserved_sign.yaml": [[3, 16, "cannot start with"]],
  "syntax_no_value.toml": [[1, 11, "Expected a value behind the equals sign"]],
  "syntax_bare_text.toml": [[3, 13, "text stands in quotes"]],
  "syntax_unclosed_quote.toml": [[3, 13, "This quote is never closed"]],
  "syntax_unclosed_bracket.toml": [[5, 14, "This bracket is never closed"]],
  "syntax_table_name.toml": [[2, 9, "Expected ]"]],
  "syntax_two_entries.toml": [[1, 13, "Expected the end of the line"]],
  "syntax_several.toml": [[1, 11, "text stands in quotes"], [3, 13, "text stands in quotes"], [
    4,
    15,
    "does not begin with 0",
  ]],
  "syntax_missing_comma.toml": [[5, 19, "Expected a comma or the closing bracket"]],
  "duplicate_key.yaml": [[4, 3, '"ports" is given twice; the first is in line 3']],
  "duplicate_key.toml": [[2, 1, '"version" is given twice']],
  "duplicate_table.toml": [[3, 2, '"service" is given twice']],
  "cyclic_alias.yaml": [[3, 10, "This alias stands inside of what it repeats"]],
  "unknown_alias.yaml": [[2, 12, 'No anchor "&none"']],
  "alias_bomb.yaml": [[6, 15, "more than 20000 values"]],
  "merge_key.yaml": [[4, 3, "Merge keys are not YAML 1.2"]],
  "harmful_key.yaml": [[2, 1, "__proto__"]],
  "harmful_key.toml": [[2, 2, "__proto__"]],
  "deep_nesting.yaml": [[2, 67, "Nested deeper than 64"]],
  "deep_nesting.toml": [[2, 69, "Nested deeper than 64"]],
  "deep_keys.toml": [[2, 128, "Nested deeper than 64"]],
  "binary_junk.yaml": [[1, 18, "The file is not UTF-8"]],
  "nul.yaml": [[2, 6, "control character U+0000"]],
  "utf16.toml": [[1, 1, "UTF-16"]],
  "latin1.toml": [[2, 6, "byte 0xe9"]],
  "empty.yaml": [[1, 1, "The spec is empty"]],
  "empty.toml": [[1, 1, '"version" is missing'], [1, 1, '"pipelines" is missing']],
  "a_list.yaml": [[1, 1, "Expected a mapping, got a list"]],
  "wrong_version.yaml": [[1, 10, "reads version 1"]],
  "wrong_version.toml": [[1, 11, "reads version 1"]],
  "missing_version.yaml": [[1, 1, '"version" is missing; write version: 1']],
  "no_pipelines.yaml": [[2, 12, "Expected at least one pipeline"]],
  "unknown_key.yaml": [[2, 1, 'Unknown option "servise"; did you mean "service"?']],
  "unknown_key.toml": [[11, 1, 'Unknown option "databse" of state_db; did you mean "database"?']],
  "unknown_key_deep.yaml": [[5, 42, 'did you mean "max_ms"?']],
  "unknown_key_far.yaml": [[4, 30, "there are type, interfaces"]],
  "unknown_type.yaml": [[4, 21, 'There is no source "netlnk"; did you mean "netlink"?']],
  "unknown_type.toml": [[10, 8, 'There is no sink "mongo"; there are state_db and kernel']],
  "type_of_another_kind.yaml": [[6, 21, '"netlink" is a source, and here stands a sink']],
  "missing_type.toml": [[9, 19, '"type" is missing; it is state_db']],
  "missing_source.yaml": [[3, 3, '"source" is missing'], [4, 12, "Expected at least 1 entry"]],
  "nothing.yaml": [[4, 5, "Expected a mapping, got nothing"]],
  "wrong_type_number.yaml": [[5, 44, "Expected a whole number, got text"]],
  "wrong_type_list.toml": [[5, 14, "a list stands in brackets"]],
  "wrong_type_date.toml": [[11, 9, "Expected text, got a date"]],
  "wrong_type_boolean.yaml": [[6, 41, "Expected true or false, got text"]],
  "fraction.yaml": [[5, 48, "Expected a whole number, got 1.5"]],
  "not_a_number.yaml": [[5, 50, "Expected a number, got NaN"]],
  "too_small.yaml": [[4, 52, "Expected at least 65536, got 1"]],
  "too_large.toml": [[8, 15, "Expected at most 60000"]],
  "bad_enum.yaml": [[2, 23, 'did you mean "warn"?']],
  "bad_pattern.yaml": [[4, 56, "never closed"]],
  "bad_pattern.toml": [[5, 15, "never closed"]],
  "bad_url.yaml": [[6, 36, "Expected an address"]],
  "bad_url_scheme.yaml": [[6, 36, "There are no http: addresses here"]],
  "bad_url_socket.toml": [[11, 7, "absolute path of a socket"]],
  "bad_url_port.yaml": [[6, 36, "This is no address"]],
  "password_in_url.yaml": [[6, 36, "does not belong in the address"]],
  "password_in_spec.yaml": [[6, 41, "A secret does not stand in a spec"]],
  "password_in_spec.toml": [[11, 12, "A secret does not stand in a spec"]],
  "secret_elsewhere.yaml": [[6, 41, "may only stand in an option for secrets"]],
  "unset_name.yaml": [[6, 44, "PORTSYNC_TEST_UNSET is not set"]],
  "unset_name.toml": [[11, 10, "PORTSYNC_TEST_UNSET is not set"]],
  "bad_reference.yaml": [[6, 43, "is no name"]],
  "open_reference.yaml": [[6, 43, "This ${ is never closed"]],
  "bad_name.yaml": [[3, 3, "A pipeline's name has up to 64"]],
  "bad_namespace.yaml": [[7, 16, "name of a network namespace"]],
  "bad_table.yaml": [[6, 38, "Expected the name of a table"]],
  "bad_database.yaml": [[6, 41, "Expected text or a"]],
  "no_ksync.yaml": [[6, 21, "needs ksync as the last transform"]],
  "ksync_not_last.yaml": [[5, 26, "ksync is the last transform"]],
  "ksync_twice.toml": [[13, 8, "ksync stands here a second time"]],
  "no_sink.yaml": [[6, 12, "Expected at least 1 entry"]],
  "sink_twice.yaml": [[6, 41, "This sink stands here twice"]],
  "two_writers.toml": [[21, 8, 'The pipeline "ports" writes rows of the same names']],
  "two_kernel_writers.yaml": [
    [15, 41, 'The pipeline "ports" changes links of the same names'],
    [19, 21, 'The pipeline "more" writes rows of the same names'],
  ],
  "peers.yaml": [
    [4, 42, '"table" is not for mode: serve'],
    [8, 60, 'The pipeline "answered" listens at the same socket'],
    [8, 67, '"file" is only for protocol: ring'],
    [16, 48, 'The pipeline "queued" reads the same ring'],
    [16, 74, '"mode" is for netipc, and a ring does not read it'],
    [20, 54, '"allow_uids" is not for mode: poll'],
    [26, 21, 'The pipeline "polled" writes rows of the same names'],
  ],
  "links_to_links.yaml": [[6, 41, "Links would be set to what they are"]],
  "patterns_never_meet.yaml": [[5, 48, "No name that the source sends"]],
  "rows_of_others.yaml": [[5, 48, "intfmgrd's"]],
  "several.yaml": [
    [1, 10, "version 1"],
    [2, 1, 'did you mean "pipelines"'],
    [4, 14, "Expected debug"],
    [6, 3, "A pipeline's name"],
    [6, 3, '"source" is missing'],
    [6, 3, '"sinks" is missing'],
  ],
};

/** The complaints about the bytes of a spec. */
async function complaints(name: string, bytes: Uint8Array): Promise<SpecError> {
  try {
    await check(decodeSpec(name, bytes), { environment: () => undefined });
  } catch (error) {
    if (error instanceof SpecError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: `${name} was taken` });
}

Deno.test("Every broken spec is in the table, and there are at least forty", async () => {
  const files = (await Array.fromAsync(Deno.readDir(FOLDER))).map(({ name }) => name);
  assert.deepEqual(files.sort(), Object.keys(EXPECTED).sort());
  assert(files.length >= 40);
});

for (const [name, places] of Object.entries(EXPECTED)) {
  Deno.test(`${name} is answered at its line and column`, async () => {
    const error = await complaints(name, await Deno.readFile(FOLDER + name));
    const answered = error.complaints.map(({ line, column }) => [line, column]);
    assert.deepEqual(answered, places.map(([line, column]) => [line, column]), error.message);
    for (const [index, [, , message]] of places.entries()) {
      const { message: given = "", suggestion } = error.complaints[index] ?? {};
      const whole = suggestion === undefined ? given : `${given}; did you mean "${suggestion}"?`;
      assert(whole.includes(message), `${whole} should say: ${message}`);
    }
    assert(!error.message.includes("hunter2"), "a password was printed");
  });
}

Deno.test("portsync validate answers each broken spec with 78 and its places", async () => {
  for (const [name, places] of Object.entries(EXPECTED)) {
    const io = fakeIo();
    assert.equal(await main(["validate", FOLDER + name], io), ExitCode.config, name);
    for (const [line, column] of places) {
      assert(io.errorText().includes(`${name}:${line}:${column}: `), io.errorText());
    }
    assert.equal(io.outText(), "");
  }
});

Deno.test("portsync explain refuses a broken spec in the words of validate", async () => {
  const [one, other] = [fakeIo(), fakeIo()];
  const file = `${FOLDER}several.yaml`;
  assert.equal(await main(["validate", file], one), ExitCode.config);
  assert.equal(await main(["explain", file], other), ExitCode.config);
  assert.equal(one.errorText(), other.errorText());
});

/** Texts that are made to take a parser long, too large to be kept as files. */
const BOMBS: Readonly<Record<string, () => string>> = {
  "ten_megabytes_of_nesting.yaml": () => "[".repeat(10 * 1024 * 1024),
  "ten_megabytes_of_nesting.toml": () => `x = ${"[".repeat(10 * 1024 * 1024)}`,
  "flow_nesting.yaml": () => "[".repeat(1024 * 1024),
  "block_nesting.yaml": () => "- ".repeat(512 * 1024),
  "key_nesting.yaml": () => "? ".repeat(512 * 1024),
  "staircase.yaml": () => Array.from({ length: 1400 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"),
  "many_keys.yaml": () => Array.from({ length: 100_000 }, (_, i) => `a${i}: 1`).join("\n"),
  "many_errors.yaml": () => '"'.repeat(1024 * 1024),
  "many_aliases.yaml": () => `a: &a 1\nb: [${"*a, ".repeat(250_000)}]`,
  "brackets.toml": () => `x = ${"[".repeat(1024 * 1024 - 4)}`,
  "dotted.toml": () => `a${".a".repeat(500_000)} = 1`,
  "many_tables.toml": () => "[[a]]\n".repeat(170_000),
  "many_keys.toml": () => Array.from({ length: 100_000 }, (_, i) => `a${i}=1`).join("\n"),
  "long_line.toml": () => `version = ${"1".repeat(1024 * 1024 - 12)}`,
};

Deno.test("A process answers a bomb with 78 within a second and without a stack trace", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "portsync-bombs-" });
  try {
    for (const [name, text] of Object.entries(BOMBS)) {
      await t.step(name, async () => {
        await Deno.writeTextFile(`${folder}/${name}`, text());
        // Other tests share the processors, so the best of three counts.
        let best = Infinity;
        for (let attempt = 0; attempt < 3 && best >= 1000; attempt++) {
          best = Math.min(best, await validateInProcess(`${folder}/${name}`));
        }
        assert(best < 1000, `${best} ms`);
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** How long a process took for its answer, in milliseconds. */
async function validateInProcess(file: string): Promise<number> {
  const begin = performance.now();
  const main = new URL("../mod.ts", import.meta.url).pathname;
  const config = new URL("../deno.json", import.meta.url).pathname;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-P", "--config", config, main, "validate", file],
    env: { NO_COLOR: "1" },
  }).output();
  const elapsed = performance.now() - begin;
  const answer = new TextDecoder().decode(stderr);
  assert.equal(code, ExitCode.config, answer);
  assert.match(answer, /^\S+:\d+:\d+: \S/);
  assert.doesNotMatch(answer, /^\s+at (?:async |file:|Object\.)/m);
  assert(answer.length < 10_000, "the answer is too long to be read");
  return elapsed;
}
