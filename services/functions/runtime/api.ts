// The way to the platform's own API. Loopback and private networks are closed to functions; what
// they fetch from the platform's address goes through a unix socket instead.

/** A name that resolves to nothing; only the socket's other end ever sees it. */
const INSIDE = "http://selfdb.internal";

/** Makes `fetch` reach `apiUrl` by the socket. Redirects from there are handed on, not followed. */
export function guardApi(socket: string, apiUrl: string): void {
  const client = Deno.createHttpClient({ proxy: { transport: "unix", path: socket } });
  const base = new URL(apiUrl);
  const prefix = base.pathname.replace(/\/$/, "");
  const direct = globalThis.fetch;

  /** The address inside, of one that begins with `apiUrl`. */
  function inside(address: string): string | undefined {
    const url = URL.parse(address);
    if (url?.origin !== base.origin || !`${url.pathname}/`.startsWith(`${prefix}/`)) return;
    return INSIDE + url.pathname.slice(prefix.length) + url.search;
  }

  globalThis.fetch = async function fetch(input: RequestInfo | URL, init?: RequestInit) {
    const target = inside(input instanceof Request ? input.url : String(input));
    if (target === undefined) return await direct(input, init);
    const request = new Request(input, init);
    const response = await direct(new Request(target, request), { client, redirect: "manual" });
    return Object.defineProperty(response, "url", { value: request.url });
  };
}
