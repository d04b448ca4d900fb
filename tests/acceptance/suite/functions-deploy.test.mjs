import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { client, env, envFile, newUser, sql, until, url } from "../lib/instance.mjs";

const api = `${url}/api/v1`;
const admin = { apikey: env.SERVICE_ROLE_KEY, authorization: `Bearer ${env.SERVICE_ROLE_KEY}` };

async function ask(method, path, body) {
  const headers = { ...admin, ...(body && { "content-type": "application/json" }) };
  const response = await fetch(`${api}${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, body: text && JSON.parse(text) };
}

async function deploy(name, code, more = {}) {
  const made = await ask("POST", "/functions", { name, code, ...more });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body;
}

const made = ["acc-echo", "acc-cli", "acc-row", "acc-user", "acc-hook"];
const clean = () => Promise.all(made.map((name) => ask("DELETE", `/functions/${name}`)));

before(clean);
after(clean);

const ECHO = `Deno.serve(async (req) => {
  const kind = new URL(req.url).searchParams.get("answer");
  const type = req.headers.get("content-type");
  if (kind === "text") return new Response("plain", { headers: { "content-type": "text/plain" } });
  if (kind === "bytes") {
    return new Response(new Uint8Array([1, 2, 3]), { headers: { "content-type": "application/octet-stream" } });
  }
  if (kind === "form") {
    const form = new FormData();
    form.set("a", "1");
    return new Response(form);
  }
  if (kind === "fault") return Response.json({ why: "fault" }, { status: 418 });
  if (kind === "events") {
    const encoder = new TextEncoder();
    let count = 0;
    return new Response(new ReadableStream({
      async pull(controller) {
        await new Promise((done) => setTimeout(done, 20));
        if (++count > 3) return controller.close();
        controller.enqueue(encoder.encode("data: " + count + "\\n\\n"));
      },
    }), { headers: { "content-type": "text/event-stream" } });
  }
  const body = type?.startsWith("multipart/form-data")
    ? Object.fromEntries([...(await req.formData()).entries()])
    : await req.text();
  return Response.json({ method: req.method, type, body, own: req.headers.get("x-own") });
});`;

test("functions-js sends every kind of body and reads every kind of answer", async () => {
  await deploy("acc-echo", ECHO);
  const { functions } = client();
  const echo = async (options, query = "") => {
    const { data, error } = await functions.invoke(`acc-echo${query}`, options);
    assert.ifError(error);
    return data;
  };
  const json = await echo({ body: { a: [1] }, headers: { "x-own": "1" } });
  assert.deepEqual(json, { method: "POST", type: "application/json", body: '{"a":[1]}', own: "1" });
  assert.equal((await echo({ body: "text" })).type, "text/plain");
  const blob = await echo({ body: new Blob(["blob"]) });
  assert.deepEqual([blob.type, blob.body], ["application/octet-stream", "blob"]);
  assert.equal((await echo({ body: new TextEncoder().encode("buffer").buffer })).body, "buffer");
  const form = new FormData();
  form.set("name", "Ada");
  const sent = await echo({ body: form });
  assert.match(sent.type, /^multipart\/form-data; boundary=/);
  assert.deepEqual(sent.body, { name: "Ada" });
  for (const method of ["GET", "PUT", "PATCH", "DELETE"]) assert.equal((await echo({ method })).method, method);

  assert.equal(await echo({}, "?answer=text"), "plain");
  assert.deepEqual([...new Uint8Array(await (await echo({}, "?answer=bytes")).arrayBuffer())], [1, 2, 3]);
  assert.equal((await echo({}, "?answer=form")).get("a"), "1");
  const events = await echo({}, "?answer=events");
  assert.equal(await events.text(), "data: 1\n\ndata: 2\n\ndata: 3\n\n");

  const { error } = await functions.invoke("acc-echo?answer=fault");
  assert.equal(error.name, "FunctionsHttpError");
  assert.equal(error.context.status, 418);
  assert.deepEqual(await error.context.json(), { why: "fault" });
});

test("the command line deploys, rolls back, keeps secrets and shows logs", async () => {
  const folder = mkdtempSync(join(tmpdir(), "selfdb-functions-"));
  const pid = readFileSync(join(env.DATA_DIR, "selfdb.pid"), "utf8").trim();
  const binary = readlinkSync(`/proc/${pid}/exe`);
  const selfdb = async (...args) => {
    const run = promisify(execFile)(binary, ["functions", ...args, "--env-file", envFile]);
    return (await run).stdout;
  };
  const write = (code) => writeFileSync(join(folder, "acc-cli.ts"), code);
  try {
    write(`export default () => { console.log("said one"); return [1, Deno.env.get("ACC_SECRET") ?? null]; };`);
    assert.match(await selfdb("deploy", "acc-cli", "--folder", folder), /deployed acc-cli, version 1/);
    assert.equal(await selfdb("invoke", "acc-cli"), "[1,null]\n");
    await selfdb("secrets", "set", "ACC_SECRET=hush", "--function", "acc-cli");
    await until("the secret is there", async () => (await selfdb("invoke", "acc-cli")) === '[1,"hush"]\n');
    assert.match(await selfdb("secrets", "list", "--function", "acc-cli"), /ACC_SECRET=\*+\n/);
    write(`export default () => 2;`);
    assert.match(await selfdb("deploy", "acc-cli", "--folder", folder), /version 2/);
    assert.equal(await selfdb("invoke", "acc-cli"), "2\n");
    write(`export default () => {`);
    await assert.rejects(selfdb("deploy", "acc-cli", "--folder", folder), /acc-cli\.ts:1:\d+: error:/);
    assert.equal(await selfdb("invoke", "acc-cli"), "2\n");
    await selfdb("rollback", "acc-cli", "1");
    assert.equal(await selfdb("invoke", "acc-cli"), '[1,"hush"]\n');
    assert.match(await selfdb("versions", "acc-cli"), /^2\t.*\n1\t.*serves\n$/);
    await until("its lines are there", async () => /info +said one/.test(await selfdb("logs", "acc-cli")));
    await selfdb("download", "acc-cli", "--version", "2", "--output", join(folder, "out"));
    assert.equal(readFileSync(join(folder, "out", "acc-cli.ts"), "utf8"), "export default () => 2;");
    assert.match(await selfdb("list"), /^acc-cli\tversion 1\tapi\tok/m);
    await selfdb("delete", "acc-cli");
    assert.doesNotMatch(await selfdb("list"), /acc-cli/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const SAY = `export default (event) => { console.log(JSON.stringify(event)); return { done: true }; };`;

/** What `name` was called with that `wanted` accepts, read from its log. */
const told = (name, wanted) =>
  until(`${name} is called`, async () => {
    const { body } = await ask("GET", `/functions/${name}/logs`);
    return body.map((line) => JSON.parse(line.message)).find(wanted);
  });

test("a row, a sign-up and a signed message call functions", async () => {
  await sql("drop table if exists public.acc_orders; create table public.acc_orders (id int primary key, status text)");
  await deploy("acc-row", `export const triggers = [{ type: "database", table: "acc_orders", operations: ["INSERT"] }];\n${SAY}`);
  await deploy("acc-user", `export const triggers = [{ type: "event", event: "user.created" }];\n${SAY}`);
  await deploy("acc-hook", `export const triggers = [{ type: "webhook" }];\n${SAY}`);
  for (const table of ["public.acc_orders", "auth.users"]) {
    await until(`${table} tells of its changes`, async () => {
      const found = await sql(
        "select 1 from pg_trigger where tgname = 'selfdb_functions_capture' and tgrelid = $1::regclass",
        [table],
      );
      return found.rowCount === 1;
    });
  }
  await sql("insert into public.acc_orders values (7, 'paid')");
  const row = await told("acc-row", (event) => event.record?.id === 7);
  assert.deepEqual([row.operation, row.record], ["INSERT", { id: 7, status: "paid" }]);

  const { user, email } = await newUser();
  const event = await told("acc-user", (each) => each.data?.id === user.id);
  assert.equal(event.data.email, email);
  assert.ok(!JSON.stringify(event).includes("password"));

  const hook = await ask("POST", "/webhooks", { function: "acc-hook" });
  assert.equal(hook.status, 201);
  const message = JSON.stringify({ order: 1 });
  const signature = createHmac("sha256", hook.body.secret).update(message).digest("hex");
  const send = (sign) =>
    fetch(`${url}${hook.body.path}`, { method: "POST", headers: { "x-webhook-signature": sign }, body: message });
  assert.equal((await send("0".repeat(64))).status, 401);
  assert.equal((await send(signature)).status, 202);
  assert.deepEqual((await told("acc-hook", (each) => each.body)).body, { order: 1 });
});

test("only administrators deploy", async () => {
  const { session } = await newUser();
  for (const token of [env.ANON_KEY, session.access_token]) {
    const headers = { apikey: env.ANON_KEY, authorization: `Bearer ${token}`, "content-type": "application/json" };
    const body = JSON.stringify({ name: "acc-evil", code: "export default () => 1;" });
    const refused = await fetch(`${api}/functions`, { method: "POST", headers, body });
    assert.equal(refused.status, 403);
  }
});
