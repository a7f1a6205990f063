import assert from "node:assert/strict";
import { filesOf, read } from "./project.ts";
import { callComplaints, lengthComplaint, unfinishedComplaints } from "./sources.ts";

Deno.test("Every source says why where it is longer than 400 lines", async () => {
  const complaints: string[] = [];
  for (const path of await filesOf(/\.(?:ts|c|h)$/)) {
    const complaint = lengthComplaint(path, await read(path));
    if (complaint !== undefined) complaints.push(complaint);
  }
  assert.deepEqual(complaints, []);
});

Deno.test("No file holds work left open", async () => {
  const complaints: string[] = [];
  for (const path of await filesOf(/\.(?:ts|c|h|def|map|md|ya?ml|toml|json|sh)$|^\.ci\//)) {
    complaints.push(...unfinishedComplaints(path, await read(path)));
  }
  assert.deepEqual(complaints, []);
});

Deno.test("Libraries are opened by ffi/ only, and sockets never by spec/", async () => {
  const complaints: string[] = [];
  for (const path of await filesOf(/^(?:mod\.ts|(?:src|ffi|schemas)\/.*\.ts)$/)) {
    complaints.push(...callComplaints(path, await read(path)));
  }
  assert.deepEqual(complaints, []);
});

Deno.test("lengthComplaint() takes a reason at the top of a long file", () => {
  const long = "x;\n".repeat(401);
  assert.equal(lengthComplaint("src/a.ts", "x;\n".repeat(400)), undefined);
  assert.equal(
    lengthComplaint("src/a.ts", long),
    'src/a.ts:401: longer than 400 lines, and no comment at its top says "Longer than 400 lines: ' +
      'the reason"',
  );
  assert.equal(
    lengthComplaint("src/a.ts", `// Longer than 400 lines: a table\n${long}`),
    undefined,
  );
  assert.notEqual(lengthComplaint("src/a.ts", `// Longer than 400 lines:\n${long}`), undefined);
  const generated = `/**\n * Made by a tool from\n * a table; do not edit.\n */\n${long}`;
  assert.equal(lengthComplaint("ffi/a.gen.ts", generated), undefined);
});

Deno.test("unfinishedComplaints() finds the marks of work left open, and words that hold them", () => {
  const mark = ["TO", "DO"].join("");
  assert.deepEqual(unfinishedComplaints("c/a.c", `int a;\n/* ${mark}: free it */\n`), [
    `c/a.c:2: work left open (${mark})`,
  ]);
  assert.deepEqual(unfinishedComplaints("c/a.c", "#define TODOS 1\nmethodOfFix();\n"), []);
});

Deno.test("callComplaints() knows the calls that belong to one room", () => {
  const open = ["Deno", "dlopen"].join(".");
  const source = `// ${open} is for ffi/\nconst lib = ${open}(path, {});\n`;
  assert.deepEqual(callComplaints("src/netipc/client.ts", source), [
    `src/netipc/client.ts:2: only ffi/ may call ${open}`,
  ]);
  assert.deepEqual(callComplaints("ffi/load.ts", source), []);
  assert.deepEqual(callComplaints("src/netipc/client_test.ts", source), []);
  const connect = "await Deno.connect({ port: 6379 });";
  assert.deepEqual(callComplaints("src/spec/load.ts", connect), [
    "src/spec/load.ts:1: spec never opens a socket (Deno.connect)",
  ]);
  assert.deepEqual(callComplaints("src/redis/connection.ts", connect), []);
});
