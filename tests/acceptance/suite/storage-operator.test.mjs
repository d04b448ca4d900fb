// `selfdb storage`: what an operator does to stored objects, on the running instance.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { env, envFile, service, until } from "../lib/instance.mjs";
import { mainPid } from "../lib/processes.mjs";

const selfdb = () => readlinkSync(`/proc/${mainPid()}/exe`);
const words = (args) => ["storage", ...args, "--env-file", envFile];

/** Runs `selfdb storage` with further settings; answers its exit code and what it said. */
const storage = (args, settings = {}) =>
  new Promise((resolve) => {
    execFile(selfdb(), words(args), { env: { ...process.env, ...settings } }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });

const succeeded = ({ code, stdout, stderr }) => {
  assert.equal(code, 0, stdout + stderr);
  return stdout;
};

const isFree = (port) =>
  new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });

/**
 * SeaweedFS in a folder of its own; it takes the port 10,000 above each, too. Both are below those
 * that the kernel gives to connections: one of them may take a port that was free a moment ago.
 */
async function startWeed(program, home) {
  let port = 10_000 + (process.pid % 12_000);
  const ports = {};
  const args = ["mini", `-dir=${home}`, "-ip=127.0.0.1", "-s3.port.iceberg=0", "-s3.port.lance=0"];
  for (const name of ["master", "volume", "filer", "webdav", "admin", "s3"]) {
    do port += 1;
    while (!(await isFree(port)) || !(await isFree(port + 10_000)));
    args.push(`-${name}.port=${port}`);
    ports[name] = port;
  }
  const keys = { AWS_ACCESS_KEY_ID: "operator", AWS_SECRET_ACCESS_KEY: "operator-secret" };
  const child = spawn(program, args, { stdio: "ignore", env: { ...process.env, ...keys } });
  const answers = () => {
    assert.equal(child.exitCode, null, "SeaweedFS ended by itself");
    return fetch(`http://127.0.0.1:${port}/`).then(({ status }) => status === 403, () => false);
  };
  await until("SeaweedFS answers", answers, 60);
  const settings = {
    STORAGE_S3_BUCKET: "moved",
    STORAGE_S3_ENDPOINT: `http://127.0.0.1:${port}`,
    STORAGE_S3_ACCESS_KEY_ID: "operator",
    STORAGE_S3_SECRET_ACCESS_KEY: "operator-secret",
  };
  return { child, settings, filer: ports.filer };
}

/** How many folders of objects SeaweedFS has: each has at least one whole object. */
async function folders(filer) {
  const headers = { accept: "application/json" };
  const listing = await fetch(`http://127.0.0.1:${filer}/buckets/moved/objects/?limit=1000`, { headers });
  return listing.ok ? ((await listing.json()).Entries ?? []).length : 0;
}

test("usage, keys and fsck say what there is", async () => {
  const bucket = `operated-${process.pid}`;
  const { storage: client } = service();
  assert.ifError((await client.createBucket(bucket)).error);
  for (const name of ["a", "f/b"]) assert.ifError((await client.from(bucket).upload(name, "x".repeat(500))).error);
  const usage = succeeded(await storage(["usage"]));
  const line = usage.split("\n").find((text) => text.includes(bucket));
  assert.match(line, /^\s*1000 bytes\s+2 objects\s/);
  const keys = succeeded(await storage(["s3-keys"]));
  assert.match(keys, new RegExp(`access key id: +${env.S3_PROTOCOL_ACCESS_KEY_ID}\n`));
  assert.match(keys, new RegExp(`secret access key: +${env.S3_PROTOCOL_ACCESS_KEY_SECRET}\n`));
  assert.match(succeeded(await storage(["fsck"])), /^\d+ versions are whole, 0 are not$/m);
});

test("objects move to an S3 server and back; what was cut off goes on", async (t) => {
  const program = process.env.SELFDB_WEED_BIN ?? `${process.env.HOME}/.cache/selfdb/tools/seaweedfs/bin/weed`;
  if (!existsSync(program)) return t.skip("there is no SeaweedFS; ./test.sh installs it");
  const bucket = `moved-${process.pid}`;
  const { storage: client } = service();
  assert.ifError((await client.createBucket(bucket)).error);
  for (let n = 0; n < 60; n += 1) {
    assert.ifError((await client.from(bucket).upload(`${n}`, randomBytes(400_000))).error);
  }
  const [home, back] = ["weed", "files"].map((name) => mkdtempSync(join(tmpdir(), `selfdb-${name}-`)));
  const weed = await startWeed(program, home);
  try {
    const cut = spawn(selfdb(), words(["migrate", "--to", "s3"]), { env: { ...process.env, ...weed.settings }, stdio: "ignore" });
    await until("some objects are there", async () => (await folders(weed.filer)) > 2, 60);
    cut.kill("SIGKILL");
    const [code] = await once(cut, "exit");
    assert.equal(code, null, "it was cut off");

    const [, copied, there] = /^(\d+) versions copied, (\d+) there already/m.exec(succeeded(await storage(["migrate", "--to", "s3"], weed.settings)));
    assert.ok(Number(copied) > 0 && Number(there) > 0, `${copied} copied, ${there} there`);
    const again = succeeded(await storage(["migrate", "--to", "s3"], weed.settings));
    assert.match(again, /^0 versions copied/m);
    const onS3 = { ...weed.settings, STORAGE_BACKEND: "s3" };
    const whole = /^(\d+) versions are whole, 0 are not$/m.exec(succeeded(await storage(["fsck"], onS3)));
    assert.ok(Number(whole[1]) >= 60);

    const elsewhere = { ...onS3, FILE_STORAGE_BACKEND_PATH: back };
    const returned = succeeded(await storage(["migrate", "--to", "file"], elsewhere));
    assert.match(returned, new RegExp(`^${Number(copied) + Number(there)} versions copied, 0 there already`, "m"));
    const onFiles = { FILE_STORAGE_BACKEND_PATH: back, STORAGE_BACKEND: "file" };
    succeeded(await storage(["fsck"], onFiles));
    const files = readdirSync(join(back, "objects"), { recursive: true }).filter((name) => name.includes("/"));
    const victim = files.map((name) => join(back, "objects", name)).find((path) => statSync(path).size === 400_000);
    const bytes = readFileSync(victim);
    bytes[123_456] ^= 1;
    writeFileSync(victim, bytes);
    const damaged = await storage(["fsck"], onFiles);
    assert.equal(damaged.code, 1);
    assert.match(damaged.stdout, /^moved-\d+\/\d+: .*damaged/m);
  } finally {
    weed.child.kill("SIGKILL");
    rmSync(home, { recursive: true, force: true });
    rmSync(back, { recursive: true, force: true });
  }
});
