import assert from "node:assert/strict";
import { StopError } from "./errors.ts";
import { readSecret, SECRET_REFERENCE, secretCredential, secretFile } from "./secret.ts";

Deno.test("A reference is a whole text with an absolute path or a credential's name", () => {
  assert.equal(secretFile("${file:/etc/portsync/redis}"), "/etc/portsync/redis");
  assert.equal(secretCredential("${credential:redis.pw}"), "redis.pw");
  for (const text of ["${file:/a b/c}", "${credential:x@y-z}"]) assert(SECRET_REFERENCE.test(text));
  for (
    const text of [
      ...["", "secret", "${file:}", "${file:etc}", "x${file:/a}", "${file:/a}x", "${file:/a\n}"],
      ...["${credential:}", "${credential:../a}", "${credential:a b}", "${NAME}", "${file:/a{}}"],
    ]
  ) {
    assert(!SECRET_REFERENCE.test(text), text);
    assert.equal(secretFile(text) ?? secretCredential(text), undefined, text);
  }
});

Deno.test("readSecret() gives the text of the file without the newline of an editor", async () => {
  const file = await Deno.makeTempFile({ prefix: "portsync-secret-" });
  try {
    for (
      const [content, secret] of [
        ["hunter2", "hunter2"],
        ["hunter2\n", "hunter2"],
        ["hunter2\r\n", "hunter2"],
        [" hunter2 \n\n", " hunter2 \n"],
      ] as const
    ) {
      await Deno.writeTextFile(file, content);
      assert.equal(await readSecret(`\${file:${file}}`), secret);
    }
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("readSecret() says what is wrong with a secret and never what it is", async () => {
  const folder = await Deno.makeTempDir({ prefix: "portsync-secret-" });
  try {
    const file = `${folder}/secret`;
    const refused = async (message: RegExp, bytes: Uint8Array) => {
      await Deno.writeFile(file, bytes);
      await assert.rejects(readSecret(`\${file:${file}}`), (error) => {
        assert(error instanceof StopError);
        assert.match(error.message, message);
        assert(!error.message.includes("hunter2"));
        return true;
      });
    };
    await refused(/is empty/, new Uint8Array());
    await refused(/is not UTF-8/, new Uint8Array([...new TextEncoder().encode("hunter2"), 0xff]));
    await refused(/longer than 64 KiB/, new Uint8Array(70_000).fill(97));
    await assert.rejects(readSecret(`\${file:${folder}/none}`), /there is no such file/);
    await assert.rejects(readSecret(`\${file:${folder}}`), /it is a folder|Is a directory/);
    await assert.rejects(readSecret("hunter2"), (error) => {
      return error instanceof StopError && !error.message.includes("hunter2");
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
