// The processes of the instance under test, as /proc shows them.
import { readFileSync, readdirSync } from "node:fs";
import { env } from "./instance.mjs";

const read = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

export const mainPid = () => Number(read(`${env.DATA_DIR}/selfdb.pid`));

/** The main process and the services it started, without Postgres and Deno. */
export function servicePids() {
  const main = mainPid();
  const children = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).filter((pid) => {
    const parent = /^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1];
    return Number(parent) === main && /(^|\/)selfdb-/.test(read(`/proc/${pid}/cmdline`).split("\0")[0]);
  });
  return [main, ...children.map(Number)];
}

/** Peak resident memory of all of them together, in MiB. */
export const residentMiB = () =>
  servicePids()
    .map((pid) => Number(/^VmHWM:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024)
    .reduce((sum, mib) => sum + mib, 0);

export const postmasterPid = () => Number(read(`${env.DATA_DIR}/postgres/postmaster.pid`).split("\n")[0]);
