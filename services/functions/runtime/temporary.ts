// `/tmp`, as functions know it from Supabase: a folder that is there while the process is. The
// machine's own is closed to them; what they name there lies in a folder that only they reach.

type Path = string | URL;
type Call = (...given: unknown[]) => unknown;

const OF_ONE = [
  "chmod",
  "create",
  "lstat",
  "mkdir",
  "open",
  "readDir",
  "readFile",
  "readTextFile",
  "realPath",
  "remove",
  "stat",
  "truncate",
  "utime",
  "writeFile",
  "writeTextFile",
];
const OF_TWO = ["copyFile", "link", "rename", "symlink"];

/** Has the file functions of `Deno` take `/tmp` for `own`; what lies in `except` stays itself. */
export function provideTemporary(own: string, except: string): void {
  function moved(path: unknown): unknown {
    if (path instanceof URL && path.protocol === "file:") {
      const target = moved(path.pathname);
      return target === path.pathname ? path : new URL(`file://${target}`);
    }
    if (typeof path !== "string" || !`${path}/`.startsWith("/tmp/")) return path;
    return path.startsWith(except) ? path : own + path.slice("/tmp".length);
  }

  function replace(name: string, paths: number): void {
    const call = Reflect.get(Deno, name) as Call | undefined;
    if (!call) return;
    const value = (...given: unknown[]) =>
      call(...given.map((each, place) => place < paths ? moved(each as Path) : each));
    Object.defineProperty(Deno, name, { value, configurable: true, writable: true });
  }

  for (const name of OF_ONE) [name, `${name}Sync`].forEach((each) => replace(each, 1));
  for (const name of OF_TWO) [name, `${name}Sync`].forEach((each) => replace(each, 2));
}
