// The two ways to write a function: Supabase's (`Deno.serve`) and SelfDB's (a default export).

import type { Context } from "./lifecycle.ts";

export type Handler = (
  request: Request,
  info: Deno.ServeHandlerInfo,
) => Response | Promise<Response>;

/** Set by the supervisor alone: a call without a client, whose event is the body. */
const TRIGGER = "x-selfdb-trigger";

type OnError = (error: unknown) => Response | Promise<Response>;

/**
 * Replaces `Deno.serve`: what a module hands to it is kept instead of being served on a port.
 * Answers a function that tells what was kept last.
 */
export function captureServe(): () => Handler | undefined {
  let kept: Handler | undefined;
  const stop = Promise.withResolvers<void>();
  const server = {
    addr: { transport: "tcp", hostname: "0.0.0.0", port: 8000 },
    finished: stop.promise,
    ref() {},
    unref() {},
    shutdown() {
      stop.resolve();
      return stop.promise;
    },
    [Symbol.asyncDispose]() {
      return this.shutdown();
    },
  };
  // deno-lint-ignore no-explicit-any
  const capture = (first: any, second?: any) => {
    const handler = [first, second, first?.handler].find((each) => typeof each === "function");
    if (!handler) throw new TypeError("Deno.serve was given no handler");
    const options = typeof first === "function" ? second : first;
    kept = withOnError(handler, options?.onError);
    queueMicrotask(() => options?.onListen?.(server.addr));
    return server;
  };
  Object.defineProperty(Deno, "serve", { value: capture, configurable: true, writable: true });
  return () => kept;
}

function withOnError(handler: Handler, onError?: OnError): Handler {
  if (!onError) return handler;
  return async (request, info) => {
    try {
      return await handler(request, info);
    } catch (error) {
      return await onError(error);
    }
  };
}

/** Makes an error, or an answer that is none, a line of the log and a plain answer. */
export function guarded(handler: Handler): Handler {
  function failed(error: unknown): Response {
    console.error(error);
    return new Response("Internal Server Error", { status: 500 });
  }
  function checked(response: unknown): Response {
    if (response instanceof Response) return response;
    return failed(new TypeError("the function did not answer with a Response"));
  }
  // No promise where the handler makes none: each costs as much as the rest of this.
  return (request, info) => {
    try {
      const answer: unknown = handler(request, info);
      return answer instanceof Response ? answer : Promise.resolve(answer).then(checked, failed);
    } catch (error) {
      return failed(error);
    }
  };
}

/** What answers requests, of a module that has been loaded. */
export function handlerOf(
  module: Record<string, unknown>,
  served: Handler | undefined,
  context: Context,
): Handler {
  if (served) return (request, info) => served(request, new Remote(request, info));
  const exported = module.default as unknown;
  if (typeof exported === "function") {
    return async (request, info) => {
      if (request.headers.has(TRIGGER)) {
        const event = await request.json();
        const trigger = { type: event.type, name: event.name };
        return toResponse(await exported(event, { ...context, trigger }));
      }
      const details = Object.assign(new Remote(request, info), context);
      return toResponse(await exported(request, details));
    };
  }
  const fetcher = (exported as { fetch?: unknown } | undefined)?.fetch;
  if (typeof fetcher === "function") {
    return (request, info) => fetcher.call(exported, request, new Remote(request, info));
  }
  throw new TypeError(
    "the module neither calls Deno.serve nor has a function as its default export",
  );
}

/** Names the client's address, where the socket would stand; reading either costs, so who asks pays. */
class Remote implements Deno.ServeHandlerInfo {
  #request: Request;
  #info: Deno.ServeHandlerInfo;

  constructor(request: Request, info: Deno.ServeHandlerInfo) {
    this.#request = request;
    this.#info = info;
  }

  get remoteAddr(): Deno.NetAddr {
    const forwarded = this.#request.headers.get("x-forwarded-for")?.split(",")[0].trim();
    return { transport: "tcp", hostname: forwarded || "127.0.0.1", port: 0 };
  }

  get completed(): Promise<void> {
    return this.#info.completed;
  }
}

/** SelfDB's functions may answer a plain value: it is sent as JSON. */
function toResponse(value: unknown): Response {
  if (value instanceof Response) return value;
  if (value === undefined || value === null) return new Response(null, { status: 204 });
  return Response.json(value);
}
