import assert from "node:assert/strict";
import { ExitCode } from "../core/errors.ts";
import { fakeIo } from "../../tests/support/io.ts";
import { readArguments } from "./arguments.ts";
import { UsageError } from "./command.ts";
import { commands, main } from "./main.ts";
import { VERSION } from "./version.ts";

const command = {
  usage: "FILE",
  operands: { min: 1, max: 1 },
  options: {
    set: { value: "PATH=VALUE", multiple: true, description: "" },
    output: { value: "FILE", short: "o", description: "" },
    json: { description: "" },
  },
} as const;

Deno.test("readArguments() reads flags, values after a space or =, and operands in any order", () => {
  const args = readArguments(command, ["--set", "a=1", "f", "--json", "--set=b=2", "-o", "x"]);
  assert.deepEqual(args.operands, ["f"]);
  assert.deepEqual(args.list("set"), ["a=1", "b=2"]);
  assert.equal(args.text("output"), "x");
  assert.equal(args.flag("json"), true);
});

Deno.test("readArguments() takes everything after -- as operands, and a lone - as one", () => {
  assert.deepEqual(readArguments(command, ["--", "--json"]).operands, ["--json"]);
  assert.deepEqual(readArguments(command, ["-"]).operands, ["-"]);
});

Deno.test("readArguments() refuses what the command does not know, with a suggestion", () => {
  const wrong: [string[], RegExp][] = [
    [["f", "--jsno"], /"--jsno"; did you mean --json\?/],
    [["f", "--\x1b[31m"], /^There is no option "--\\x1b\[31m"$/],
    [["f", "--json=1"], /--json takes no value/],
    [["f", "--output"], /--output needs a value: --output FILE/],
    [["f", "-o", "a", "-o", "b"], /--output is given more than once/],
    [[], /FILE is missing/],
    [["f", "g"], /"g" is one argument too many/],
  ];
  for (const [words, message] of wrong) {
    assert.throws(
      () => readArguments(command, words),
      (error) => error instanceof UsageError && message.test(error.message),
    );
  }
});

Deno.test("a command that asks for an option it has not declared is a fault", () => {
  assert.throws(() => readArguments(command, ["f"]).flag("other"), TypeError);
});

Deno.test("main() without words prints the overview on standard error and exits 64", async () => {
  const io = fakeIo();
  assert.equal(await main([], io), ExitCode.usage);
  assert.equal(io.outText(), "");
  for (const name of Object.keys(commands)) assert.match(io.errorText(), new RegExp(`  ${name} `));
});

Deno.test("main() prints help for every command, made from its table", async () => {
  for (const [name, load] of Object.entries(commands)) {
    const { command } = await load();
    assert.equal(command.name, name);
    for (const words of [[name, "--help"], ["help", name], ["--help", name]]) {
      const io = fakeIo();
      assert.equal(await main(words, io), ExitCode.ok);
      assert.match(io.outText(), new RegExp(`portsync ${name} `));
      for (const option of Object.keys(command.options)) {
        assert.ok(io.outText().includes(`--${option}`));
      }
    }
    for (const { line } of command.examples) {
      const words = line.split(" ");
      assert.equal(words.shift(), name);
      readArguments(command, words);
    }
  }
});

Deno.test("main() prints the version that deno.json has", async () => {
  const config: unknown = JSON.parse(
    await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  );
  assert.ok(typeof config === "object" && config !== null && "version" in config);
  assert.equal(config.version, VERSION);
  const io = fakeIo();
  assert.equal(await main(["--version"], io), ExitCode.ok);
  assert.ok(io.outText().startsWith(`portsync ${VERSION} `));
});

Deno.test("main() suggests a command for a mistyped one and exits 64", async () => {
  const io = fakeIo();
  assert.equal(await main(["--versoin"], io), ExitCode.usage);
  assert.match(io.errorText(), /no option "--versoin"; did you mean --version\?/);
});
