import assert from "node:assert/strict";
import { fencesOf, linksOf, specsOf, usesOf } from "./markdown.ts";

const PAGE = [
  "# Page",
  "Run `deno task start`, see [design](docs/design.md#words) and [web](https://example.org).",
  "```yaml",
  "version: 1",
  "pipelines: {}",
  "```",
  "```console",
  "$ portsync run a.yaml --set b=1 # a word",
  "port  state",
  "```",
  "````markdown",
  "```toml",
  "[pipelines.a]",
  "```",
  "````",
].join("\n");

Deno.test("fencesOf() gives blocks with their language and line, and leaves nested ones inside", () => {
  assert.deepEqual(fencesOf(PAGE).map(({ language, line }) => [language, line]), [
    ["yaml", 4],
    ["console", 8],
    ["markdown", 12],
  ]);
});

Deno.test("specsOf() takes whole specs only", () => {
  assert.deepEqual(specsOf(PAGE).map(({ text }) => text), ["version: 1\npipelines: {}"]);
  assert.equal(specsOf("```toml\n[pipelines.a.source]\n```").length, 1);
  assert.equal(specsOf("```yaml\nsource:\n  type: netlink\n```").length, 0);
});

Deno.test("usesOf() finds commands in shell blocks and in inline code", () => {
  assert.deepEqual(usesOf(PAGE, /^portsync /), [
    { line: 8, words: ["run", "a.yaml", "--set", "b=1"] },
  ]);
  assert.deepEqual(usesOf(PAGE, /^deno task /), [{ line: 2, words: ["start"] }]);
});

Deno.test("linksOf() gives relative links without their fragment", () => {
  assert.deepEqual(linksOf(PAGE), ["docs/design.md"]);
});
