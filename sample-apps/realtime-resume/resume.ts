/**
 * Lets an unmodified Supabase client go on where it was when its connection broke:
 *
 *   createClient(url, key, { realtime: { transport: resumable(WebSocket) } })
 *
 * SelfDB marks every committed event with a `resume_token`. This keeps the last one of each
 * channel, and adds it to the message the client joins the channel with again.
 */

interface Socket {
  send(data: string | ArrayBufferLike | Blob | ArrayBufferView): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
}

type SocketConstructor<S extends Socket> = new (
  // deno-lint-ignore no-explicit-any
  ...args: any[]
) => S;

/** What both versions of the protocol say, whichever way they write it. */
interface Message {
  topic: string;
  event: string;
  payload: Record<string, any>;
}

/** The last token of each topic. Keep it, and a reloaded page can go on from it too. */
export type Tokens = Map<string, string>;

/** `Base`, a WebSocket, with tokens kept and sent. */
export function resumable<S extends Socket>(
  Base: SocketConstructor<S>,
  tokens: Tokens = new Map(),
): SocketConstructor<S> {
  // deno-lint-ignore no-explicit-any
  const Parent = Base as new (...args: any[]) => Socket;
  class Resumable extends Parent {
    // deno-lint-ignore no-explicit-any
    constructor(...args: any[]) {
      super(...args);
      this.addEventListener("message", ({ data }) => remember(tokens, data));
    }

    override send(data: string | ArrayBufferLike | Blob | ArrayBufferView): void {
      super.send(typeof data === "string" ? withToken(tokens, data) : data);
    }
  }
  return Resumable as unknown as SocketConstructor<S>;
}

function remember(tokens: Tokens, data: unknown): void {
  if (typeof data !== "string" || !data.includes('"resume_token"')) return;
  const { topic, payload } = read(JSON.parse(data));
  const token = payload.resume_token ?? payload.response?.resume_token ??
    payload.meta?.resume_token;
  if (typeof token === "string") tokens.set(topic, token);
}

function withToken(tokens: Tokens, data: string): string {
  const frame = JSON.parse(data);
  const { topic, event, payload } = read(frame);
  // Whoever leaves a channel is not away from it: joining it later begins anew.
  if (event === "phx_leave") tokens.delete(topic);
  const token = tokens.get(topic);
  if (event !== "phx_join" || token === undefined) return data;
  payload.config = { ...payload.config, resume: token };
  return JSON.stringify(frame);
}

function read(frame: any): Message {
  if (!Array.isArray(frame)) return frame;
  const [, , topic, event, payload] = frame;
  return { topic, event, payload };
}
