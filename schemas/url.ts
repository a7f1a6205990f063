/**
 * The addresses of stores: which forms there are and what is wrong with a text that is none.
 *
 * - `unix:///path/redis.sock`
 * - `redis://host[:port]`, `rediss://host[:port]` with TLS
 * - `sqlite:FILE`, the embedded store
 *
 * @module
 */

/**
 * What is wrong with an address, as a sentence for the operator.
 *
 * @returns `undefined` when the address is fine
 */
export function checkStoreUrl(
  text: string,
  options: { readonly sqlite: boolean },
): string | undefined {
  const forms = "unix:///path, redis://host:port" +
    (options.sqlite ? ", rediss://host:port or sqlite:FILE" : " or rediss://host:port");
  // deno-lint-ignore no-control-regex -- they must reach neither a path nor a terminal
  if (/[\u0000-\u0020\u007f]/.test(text)) return "The address holds a space or control character";
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return `Expected an address: ${forms}`;
  if (scheme === "sqlite" && options.sqlite) return checkSqlite(text);
  if (scheme === "unix") return checkUnix(text);
  if (scheme === "redis" || scheme === "rediss") return checkTcp(text, scheme);
  return `There are no ${scheme}: addresses here; expected ${forms}`;
}

function checkSqlite(text: string): string | undefined {
  const file = text.slice("sqlite:".length);
  if (file === "") return "The address names no file; write sqlite:FILE";
  if (file.startsWith("//")) return "Write sqlite:FILE, without the slashes of a host";
  return undefined;
}

function checkUnix(text: string): string | undefined {
  const path = /^unix:\/\/(\/[^?#]+)$/i.exec(text)?.[1];
  if (path === undefined) {
    return "Expected the absolute path of a socket after unix://, as in unix:///run/redis.sock";
  }
  // sun_path of sockaddr_un has 108 bytes and a NUL at its end.
  const bytes = new TextEncoder().encode(path).length;
  return bytes > 107 ? `The socket's path has ${bytes} bytes, and a socket takes 107` : undefined;
}

function checkTcp(text: string, scheme: string): string | undefined {
  const url = URL.parse(text);
  if (url === null) return `This is no address; expected ${scheme}://host:port`;
  if (url.username !== "" || url.password !== "") {
    return "A user or password does not belong in the address; use username and password";
  }
  if (url.hostname === "") return `The address names no host; expected ${scheme}://host:port`;
  if (url.port === "0") return "Port 0 is no port that a server listens on";
  if (!/^\/?$/.test(url.pathname) || url.search !== "" || url.hash !== "") {
    return "Nothing follows the port; the database has an option of its own, database";
  }
  return undefined;
}
