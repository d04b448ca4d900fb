// Runs first in every process of the functions runtime. It serves on a unix socket at once, waits
// to be told which function it is, loads that, and from then on hands it every request.
//
// It shares its realm with users' code, so it holds nothing that they may not have.

import { guardApi } from "./api.ts";
import { captureServe, guarded, type Handler, handlerOf } from "./handler.ts";
import { captureConsole, within } from "./journal.ts";
import { installLifecycle } from "./lifecycle.ts";
import { provideTemporary } from "./temporary.ts";

/** What the supervisor says to make this process a function. */
interface Assignment {
  name: string;
  /** The module to import, as a `file:` URL. */
  entry: string;
  /** What `Deno.env` holds from now on, beside what this process was started with. */
  environment: Record<string, string>;
  /** The platform's public address. */
  apiUrl: string;
  /** Where a server of Node's is to listen, where the code may have one. */
  nodeSocket: string | null;
}

const [socket, apiSocket] = Deno.args;
const serve = Deno.serve;
const captured = captureServe();
const mark = captureConsole();

/** Set by the supervisor alone: the invocation a request is. */
const EXECUTION = "x-deno-execution-id";

// A second isolate does not fit into one function's memory: V8 would end the process over it.
globalThis.Worker = class {
  constructor() {
    throw new Error("Web Workers are not available in functions");
  }
} as unknown as typeof Worker;

let answer: Handler = wait;

/** Answers until this process is a function. The supervisor is the only one who knows the socket. */
async function wait(request: Request): Promise<Response> {
  if (request.method !== "POST") return new Response(null, { status: 204 });
  answer = () => new Response(null, { status: 503 });
  try {
    const { module, handler } = await become(await request.json());
    if (handler) {
      const safe = guarded(handler);
      answer = (request, info) => within(request.headers.get(EXECUTION), safe, request, info);
    }
    const { description, triggers } = module;
    return Response.json({
      description: typeof description === "string" ? description : null,
      triggers: triggers ?? null,
      ownServer: handler === undefined,
    });
  } catch (error) {
    const text = error instanceof Error ? error.stack ?? error.message : String(error);
    return new Response(text, { status: 422 });
  }
}

interface Loaded {
  module: Record<string, unknown>;
  /** None where the module has a server of Node's listen. */
  handler?: Handler;
}

async function become(assignment: Assignment): Promise<Loaded> {
  for (const name of ["DENO_DIR", "DENO_NO_UPDATE_CHECK"]) Deno.env.delete(name);
  for (const [name, value] of Object.entries(assignment.environment)) Deno.env.set(name, value);
  Deno.env.set("SB_EXECUTION_ID", crypto.randomUUID());
  guardApi(apiSocket, assignment.apiUrl);
  provideTemporary(Deno.env.get("TMPDIR")!, socket.split("/slots/")[0]);
  const context = installLifecycle(assignment.name);
  const listens = await watchForServer(assignment.nodeSocket);
  const module = await import(assignment.entry);
  const served = captured();
  if (!served && await listens()) return { module };
  return { module, handler: handlerOf(module, served, context) };
}

/** Only code that may need it waits for `node:http` to load. */
async function watchForServer(socket: string | null): Promise<() => Promise<boolean>> {
  if (socket === null) return () => Promise.resolve(false);
  const { captureListen } = await import("./node_server.ts");
  return captureListen(socket, EXECUTION);
}

serve({ path: socket, onListen() {} }, (request, info) => answer(request, info));

// The first request through the server and the first one out are slow: they are made now.
const client = Deno.createHttpClient({ proxy: { transport: "unix", path: socket } });
await fetch("http://selfdb.internal/", { client });
client.close();

await Deno.stdout.write(new TextEncoder().encode(`ready ${mark}\n`));
