// What functions print, with the invocation that printed it. Every message goes to standard output
// as one line that the supervisor can read; whatever else is printed there has no such mark.

import { AsyncLocalStorage } from "node:async_hooks";

/** The rest of a longer message is cut off, in UTF-16 units. */
const MOST = 8 * 1024;

type Print = (text: string, level: number) => void;

const current = new AsyncLocalStorage<string>();

/** Calls `work` with `given`; what it prints, now or later, belongs to the invocation `id`. */
export function within<Given extends unknown[], T>(
  id: string | null,
  work: (...given: Given) => T,
  ...given: Given
): T {
  return id === null ? work(...given) : current.run(id, work, ...given);
}

/** Replaces the console; answers the mark of its lines. */
export function captureConsole(): string {
  const internals = Reflect.get(Deno, Reflect.get(Deno, "internal") as symbol) as {
    Console?: new (print: Print) => Console;
  } | undefined;
  if (!internals?.Console) return "-";
  const mark = crypto.randomUUID();
  const encoder = new TextEncoder();
  const write = Deno.stdout.writeSync.bind(Deno.stdout);
  const captured = new internals.Console((text, level) => {
    const message = JSON.stringify(text.replace(/\n$/, "").slice(0, MOST));
    const line = `\x1e${mark} ${current.getStore() ?? "-"} ${level} ${message}\n`;
    let rest = encoder.encode(line);
    while (rest.length > 0) rest = rest.subarray(write(rest));
  });
  const original = globalThis.console as unknown as Record<string, unknown>;
  for (const name of Object.keys(original)) {
    if (!(name in captured)) Reflect.set(captured, name, original[name]);
  }
  Object.defineProperty(globalThis, "console", {
    value: captured,
    configurable: true,
    writable: true,
  });
  return mark;
}
