// Servers of `node:http`, and so of Express and its kin. In Supabase's runtime what listens on a
// port is the function; here it listens on a socket of its own, and requests are brought there.

import { Server } from "node:http";
import { within } from "./journal.ts";

/** What is used here of a request, whatever Node's types call it. */
interface Incoming {
  url: string;
  headers: Record<string, string | string[] | undefined>;
}

/** Takes the part before the path away: the supervisor names the whole address. */
const ORIGIN = /^https?:\/\/[^/]+/;

/**
 * Has servers listen on `socket`, and what they do for a request belong to the invocation that the
 * header `mark` names. Answers what tells whether one listens, once it does.
 */
export function captureListen(socket: string, mark: string): () => Promise<boolean> {
  let listening: Promise<boolean> | undefined;
  const prototype = Server.prototype;
  const listen = prototype.listen;
  const emit = prototype.emit;
  prototype.listen = function (this: Server, ...given: unknown[]) {
    if (listening) throw new Error("a function has one server");
    const done = given.find((each) => typeof each === "function");
    listening = new Promise((resolve, reject) => {
      this.once("listening", () => resolve(true));
      this.once("error", reject);
    });
    return Reflect.apply(listen, this, [{ path: socket }, done]);
  };
  prototype.emit = function (this: Server, event: string, ...given: unknown[]) {
    const pass = () => Reflect.apply(emit, this, [event, ...given]);
    if (event !== "request" && event !== "upgrade") return pass();
    const request = given[0] as Incoming;
    request.url = request.url.replace(ORIGIN, "");
    const id = request.headers[mark];
    return within(typeof id === "string" ? id : null, pass);
  };
  return () => listening ?? Promise.resolve(false);
}
