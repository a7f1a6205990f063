import assert from "node:assert/strict";
import { fakeIo } from "../../tests/support/io.ts";
import { rowLine, RowTable } from "./row_table.ts";
import { openScreen } from "./screen.ts";
import { paintFor } from "./terminal.ts";

const paint = paintFor(false);
const WIDE = { rows: 100, columns: 200 };

function port(key: string, fields: Record<string, string> = { state: "ok", mtu: "9100" }) {
  return { table: "PORT_TABLE", key, fields };
}

Deno.test("RowTable lays rows out by name, numbers as numbers", () => {
  const table = new RowTable();
  for (const key of ["Ethernet12", "Ethernet4", "Ethernet0"]) table.take("p", port(key));
  table.take("p", port("Ethernet4", { state: "ok", speed: "100" }));
  assert.deepEqual(table.lines(paint, WIDE), [
    "PORT_TABLE  state  mtu   speed",
    "Ethernet0   ok     9100",
    "Ethernet4   ok           100",
    "Ethernet12  ok     9100",
  ]);
});

Deno.test("RowTable forgets rows that are gone, and keeps pipelines apart", () => {
  const table = new RowTable();
  table.take("p", port("a"));
  table.take("q", port("a"));
  table.take("p", { table: "PORT_TABLE", key: "a" });
  assert.deepEqual(table.rows, [port("a")]);
});

Deno.test("RowTable says how many rows there is no room for, and leaves columns out", () => {
  const table = new RowTable();
  for (let index = 0; index < 10; index++) table.take("p", port(`e${index}`));
  assert.deepEqual(table.lines(paint, { rows: 3, columns: 18 }), [
    "PORT_TABLE  state",
    "e0          ok",
    "… and 9 more",
  ]);
});

Deno.test("rows with escape sequences reach neither the table nor a line as they are", () => {
  const row = port("e\x1b[2J", { note: "x\u202e" });
  const table = new RowTable();
  table.take("p", row);
  // deno-lint-ignore no-control-regex -- the test is about them
  assert.doesNotMatch(table.lines(paint, WIDE).join(""), /[\x00-\x1f\u202e]/);
  assert.equal(rowLine(row), "PORT_TABLE e\\x1b[2J note=x\\u{202e}");
  assert.equal(rowLine({ table: "T", key: "k" }), "T k gone");
});

Deno.test("a screen without a terminal prints one line for each change, or one object", () => {
  const plain = fakeIo();
  {
    using screen = openScreen(plain.out, plain.error);
    screen.rows("p", [port("Ethernet0"), { table: "PORT_TABLE", key: "Ethernet4" }]);
    screen.text("a line of the log\n");
  }
  assert.equal(
    plain.outText(),
    "PORT_TABLE Ethernet0 state=ok mtu=9100\nPORT_TABLE Ethernet4 gone\n",
  );
  assert.equal(plain.errorText(), "a line of the log\n");
  const json = fakeIo(true);
  {
    using screen = openScreen(json.out, json.error, { json: true });
    screen.rows("p", [port("Ethernet0")]);
  }
  assert.deepEqual(JSON.parse(json.outText()), port("Ethernet0"));
});

Deno.test("a screen on a terminal redraws its table in place, below the log", async () => {
  const io = fakeIo(true);
  {
    using screen = openScreen(io.out, io.error);
    screen.rows("p", [port("Ethernet0")]);
    await new Promise((resolve) => setTimeout(resolve, 150));
    screen.text("a line of the log\n");
    screen.rows("p", [port("Ethernet4")]);
  }
  const [, first = "", second = ""] = io.outText().split("\x1b[J");
  assert.equal(
    first.slice(0, first.indexOf("\x1b")),
    "PORT_TABLE  state  mtu\nEthernet0   ok     9100\n",
  );
  assert.ok(first.endsWith("\x1b[2A\r"), "the cursor goes back over the two lines of the picture");
  assert.equal(
    second,
    "a line of the log\nPORT_TABLE  state  mtu\nEthernet0   ok     9100\nEthernet4   ok     9100\n",
  );
  assert.equal(io.errorText(), "");
});
