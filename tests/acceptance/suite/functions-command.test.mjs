// What of `selfdb functions` goes on until it is interrupted, and how it refuses.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { env, envFile, until } from "../lib/instance.mjs";

const folder = mkdtempSync(join(tmpdir(), "selfdb-command-"));
const pid = readFileSync(join(env.DATA_DIR, "selfdb.pid"), "utf8").trim();
const binary = readlinkSync(`/proc/${pid}/exe`);
const name = "acc-watched";
const word = randomUUID(); // Lines outlive the function that printed them.
const running = [];

const selfdb = async (...args) =>
  (await promisify(execFile)(binary, ["functions", ...args, "--env-file", envFile], { timeout: 20_000 })).stdout;

/** A command that goes on; `said()` is what it has printed by now. */
function start(...args) {
  const child = spawn(binary, ["functions", ...args, "--env-file", envFile]);
  let text = "";
  for (const output of [child.stdout, child.stderr]) output.on("data", (piece) => (text += piece));
  running.push(child);
  return { child, said: () => text };
}

/** Puts the code there at once: nobody sees half of it. */
function write(code) {
  writeFileSync(join(folder, ".next"), code);
  renameSync(join(folder, ".next"), join(folder, name, "index.ts"));
}

after(async () => {
  for (const child of running) child.kill("SIGKILL");
  await selfdb("delete", name).catch(() => {});
  rmSync(folder, { recursive: true, force: true });
});

test("a folder is deployed as it changes, and a broken state of it says where", async () => {
  mkdirSync(join(folder, name));
  write('Deno.serve(() => new Response("one"));');
  const serving = start("serve", folder);
  await until("the first state is deployed", () => serving.said().includes(`deployed ${name}, version 1`));
  assert.equal((await selfdb("invoke", name)).trim(), "one");
  write("Deno.serve(() => {");
  await until("the broken one is refused", () => /acc-watched\/index\.ts:1:\d+: error:/.test(serving.said()));
  assert.equal((await selfdb("invoke", name)).trim(), "one");
  write(`Deno.serve((req) => { console.log("${word}", req.method); return new Response("two"); });`);
  await until("the mended one is deployed", () => serving.said().includes("version 2"));
  assert.equal((await selfdb("invoke", name)).trim(), "two");
  serving.child.kill("SIGINT");
  await once(serving.child, "exit");
});

test("logs are followed: what was printed, and what is printed from now on", async () => {
  const following = start("logs", name, "-f");
  await until("what was there is shown", () => following.said().includes(`${word} POST`));
  await selfdb("invoke", name, "--method", "PUT", "--data", '{"a":1}');
  await until("what comes is shown", () => following.said().includes(`${word} PUT`));
  assert.equal(following.said().split(`${word} POST`).length, 2);
  following.child.kill("SIGINT");
  await once(following.child, "exit");
});

test("a failure is one line that says what is wrong, and a code that is not 0", async () => {
  mkdirSync(join(folder, "empty"));
  const refused = [
    [["invoke", "acc-not-there"], /404 Not Found: Requested function was not found/],
    [["invoke", name, "--data", "{bad"], /--data is not JSON: .* line 1 column 2/],
    [["logs", "acc-not-there", "-f"], /no such function/],
    [["deploy", "--folder", join(folder, "nowhere")], /nowhere: No such file/],
    [["deploy", "--folder", join(folder, "empty")], /there are no functions in .*empty/],
    [["list", "--url", "http://127.0.0.1:1"], /http:\/\/127\.0\.0\.1:1: .*is the platform running\?/],
    [["versions", "acc-not-there"], /no such function/],
    [["download", "acc-not-there"], /no such function/],
    [["delete", "acc-not-there"], /no such function/],
    [["rollback", name, "99"], /no such version/],
    [["deploy", "acc-not-there", "--folder", folder], /there is neither .*index\.ts nor/],
    [["secrets", "set", "nothing"], /NAME=VALUE/],
    [["secrets", "set", "SELFDB_OWN=1"], /platform's to set/],
    [["secrets", "unset", "ACC_NO_SUCH"], /no such variable/],
  ];
  await Promise.all(refused.map(async ([args, why]) => {
    await assert.rejects(selfdb(...args), ({ code, stderr }) => {
      assert.equal(code, 1);
      assert.match(stderr, why);
      assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
      return true;
    });
  }));
});
