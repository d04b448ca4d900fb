// What ./start.sh does with good and bad env files. Each test has a data directory of its own.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";

const root = resolve(import.meta.dirname, "../../..");
const folders = [];

function run(command, ...args) {
  const done = spawnSync(join(root, command), args, { cwd: tmpdir(), encoding: "utf8", timeout: 300_000 });
  return { code: done.status, out: done.stdout, err: done.stderr, all: done.stdout + done.stderr };
}

async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, () => new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => done(server));
  })));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

const portNames = ["API_PORT", "FRONTEND_PORT", "POSTGRES_PORT", "FUNCTIONS_PORT", "AUTH_PORT", "REST_PORT", "REALTIME_PORT", "STORAGE_PORT"];

async function newInstance() {
  const folder = mkdtempSync(join(tmpdir(), "selfdb-start-"));
  folders.push(folder);
  // Postgres runs as an account of its own where this is root.
  chmodSync(folder, 0o755);
  const ports = await freePorts(portNames.length);
  const file = join(folder, "instance.env");
  writeFileSync(file, [...portNames.map((name, i) => `${name}=${ports[i]}`), `DATA_DIR=${folder}/data`, ""].join("\n"));
  return { folder, file, data: `${folder}/data`, ports };
}

/** Processes whose command line names the folder: what an instance left behind. */
function leftBehind(folder) {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(folder);
    } catch {
      return false;
    }
  });
}

after(() => {
  for (const folder of folders) {
    run("start.sh", "--stop", "--env-file", join(folder, "instance.env"));
    rmSync(folder, { recursive: true, force: true });
  }
});

test("starts, is harmless to run again, reports its state, stops, keeps data, and cleans up", async () => {
  const { file, folder, data } = await newInstance();
  const first = run("start.sh", "--env-file", file);
  assert.equal(first.code, 0, first.all);
  assert.match(first.out, /SelfDB is ready/);
  assert.match(first.out, /admin password +\S{12,}/);
  assert.equal(statSync(file).mode & 0o777, 0o600);

  const again = run("start.sh", "--env-file", file);
  assert.equal(again.code, 0, again.all);
  assert.match(again.out, /running already[\s\S]*SelfDB is ready/);
  assert.doesNotMatch(again.out, /admin password/);
  const status = run("start.sh", "--status", "--env-file", file);
  assert.equal(status.code, 0, status.all);

  assert.equal(run("start.sh", "--stop", "--env-file", file).code, 0);
  assert.deepEqual(leftBehind(folder), []);
  assert.equal(run("start.sh", "--status", "--env-file", file).code, 3);

  const began = Date.now();
  const second = run("start.sh", "--env-file", file);
  const seconds = (Date.now() - began) / 1000;
  assert.equal(second.code, 0, second.all);
  assert.ok(seconds <= 10, `ready after ${seconds} s`);

  const rebuilt = run("rebuild.sh", "--env-file", file);
  assert.equal(rebuilt.code, 0, rebuilt.all);
  assert.match(rebuilt.out, /SelfDB is ready/);

  const refused = run("cleanup.sh", "--env-file", file);
  assert.notEqual(refused.code, 0, "nobody typed delete");
  assert.ok(existsSync(`${data}/postgres`));
  const cleaned = run("cleanup.sh", "--env-file", file, "--yes");
  assert.equal(cleaned.code, 0, cleaned.all);
  assert.ok(!existsSync(data) && !existsSync(file));
  assert.deepEqual(leftBehind(folder), []);
});

test("a bad env file: every error in one message, exit 78, nothing left running", async () => {
  const { file, folder, ports } = await newInstance();
  const blocker = createServer();
  await new Promise((done) => blocker.listen(ports[1], "127.0.0.1", done));
  appendFileSync(file, [
    "API_PORT=eighty",
    "JWT_SECRET=short",
    "POSTGRES_PASSWORD=postgres",
    "DEFAULT_ADMIN_PASSWORD=adminpassword",
    "KEY_MODE=lenient",
    "",
  ].join("\n"));
  const started = run("start.sh", "--env-file", file);
  await new Promise((done) => blocker.close(done));
  assert.equal(started.code, 78, started.all);
  for (const name of ["API_PORT", "FRONTEND_PORT", "JWT_SECRET", "POSTGRES_PASSWORD", "DEFAULT_ADMIN_PASSWORD", "ANON_KEY", "AUTH_DB_PASSWORD", "KEY_MODE"]) {
    assert.match(started.err, new RegExp(`^  ${name}: `, "m"), `${name} is in the message:\n${started.err}`);
  }
  assert.doesNotMatch(started.err, /adminpassword/, "values are not repeated");
  assert.deepEqual(leftBehind(folder), []);
});

test("two instances run side by side", async () => {
  const [one, two] = [await newInstance(), await newInstance()];
  for (const { file } of [one, two]) {
    const started = run("start.sh", "--env-file", file);
    assert.equal(started.code, 0, started.all);
  }
  for (const { ports } of [one, two]) {
    assert.equal((await fetch(`http://localhost:${ports[0]}/ready`)).status, 200);
  }
});
