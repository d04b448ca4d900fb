// What a function can know and do about its own life: background work, and the end.

/** How long background work may go on once this process was asked to end, in milliseconds. */
const GRACE = 4_000;

/** The second argument of a function in SelfDB's format. */
export interface Context {
  functionName: string;
  trigger: { type: string; name?: string };
  /** Keeps this process from ending before `work` is done. */
  waitUntil<T>(work: Promise<T>): Promise<T>;
}

/** Installs `EdgeRuntime.waitUntil` and the `beforeunload` event. */
export function installLifecycle(functionName: string): Context {
  const background = new Set<Promise<unknown>>();
  const waitUntil = <T>(work: Promise<T>) => {
    const settled = Promise.resolve(work)
      .catch((error) => console.error(error))
      .finally(() => background.delete(settled));
    background.add(settled);
    return work;
  };
  Object.defineProperty(globalThis, "EdgeRuntime", { value: { waitUntil } });
  Deno.addSignalListener("SIGTERM", async () => {
    dispatchEvent(new CustomEvent("beforeunload", { detail: { reason: "shutdown" } }));
    const patience = new Promise((resolve) => setTimeout(resolve, GRACE));
    await Promise.race([Promise.all(background), patience]);
    Deno.exit(0);
  });
  return { functionName, trigger: { type: "http" }, waitUntil };
}
