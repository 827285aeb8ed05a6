import { isIP } from 'node:net';

/**
 * Whether a client may call a server by this name. A web page can get a browser to ask a server on loopback under the page's own name, once that name
 * leads to 127.0.0.1 (DNS rebinding), and then reads the answer. A name that the page has no power over gives it away.
 *
 * @param host  The `Host` header. `undefined`, from a client of HTTP/1.0, is no browser's.
 * @param names In lower case, without ports; localhost and IP addresses always are.
 */
export function isAllowedHost(host: string | undefined, names: readonly string[]): boolean {
  if (host === undefined) return true;
  const name = host.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase();
  const bare = /^\[.*\]$/.test(name) ? name.slice(1, -1) : name;
  return name === 'localhost' || isIP(bare) !== 0 || names.includes(name);
}
