// Functions of the kind that Supabase's documentation shows and that need nobody outside: each has
// the purpose of one of its examples.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import WebSocket from "ws";
import { client, env, newUser, sql, until, untilExposed, url } from "../lib/instance.mjs";

const api = `${url}/api/v1/functions`;
const functionsUrl = `${url}/functions/v1`;
const admin = {
  apikey: env.SERVICE_ROLE_KEY,
  authorization: `Bearer ${env.SERVICE_ROLE_KEY}`,
  "content-type": "application/json",
};
const made = [];

async function deploy(name, code, more = {}) {
  made.push(name);
  await fetch(`${api}/${name}`, { method: "DELETE", headers: admin });
  const answer = await fetch(api, { method: "POST", headers: admin, body: JSON.stringify({ name, code, ...more }) });
  assert.equal(answer.status, 201, await answer.text());
}

const call = (path, options = {}) =>
  fetch(`${functionsUrl}/${path}`, {
    ...options,
    headers: { authorization: `Bearer ${env.ANON_KEY}`, ...options.headers },
  });

before(async () => {
  await sql(`drop table if exists public.acc_tasks;
    create table public.acc_tasks (id bigint generated always as identity primary key, name text, status int default 0,
      user_id uuid not null default auth.uid());
    alter table public.acc_tasks enable row level security;
    create policy own on public.acc_tasks for all to authenticated using (user_id = auth.uid()) with check (user_id = auth.uid());`);
  await untilExposed("acc_tasks");
});
after(() => Promise.all(made.map((name) => fetch(`${api}/${name}`, { method: "DELETE", headers: admin }))));

const SHARED = {
  "_shared/cors.ts": `export const corsHeaders = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "authorization, x-client-info, apikey, content-type",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
  };`,
};

test("tasks by REST: a path, methods, CORS, and the caller's own rows", async () => {
  await deploy("acc-tasks", `
    import "jsr:@supabase/functions-js/edge-runtime.d.ts";
    import { createClient } from "npm:@supabase/supabase-js@2.119.1";
    import { corsHeaders as headers } from "../_shared/cors.ts";
    const pattern = new URLPattern({ pathname: "/acc-tasks/:id" });
    Deno.serve(async (req) => {
      if (req.method === "OPTIONS") return new Response("ok", { headers });
      const supabase = createClient(Deno.env.get("SUPABASE_URL")!, Deno.env.get("SUPABASE_ANON_KEY")!, {
        global: { headers: { Authorization: req.headers.get("Authorization")! } },
      });
      const token = req.headers.get("Authorization")!.replace("Bearer ", "");
      const { data: { user } } = await supabase.auth.getUser(token);
      const id = pattern.exec(req.url)?.pathname.groups.id;
      const tasks = supabase.from("acc_tasks");
      const answers: Record<string, () => PromiseLike<{ data: unknown; error: { message: string } | null }>> = {
        GET: () => id ? tasks.select("id,name,status").eq("id", id).single() : tasks.select("id,name,status").order("id"),
        POST: async () => await tasks.insert((await req.json()).task).select("id,name,status").single(),
        PUT: async () => await tasks.update((await req.json()).task).eq("id", id).select("id,name,status").single(),
        DELETE: () => tasks.delete().eq("id", id),
      };
      const { data, error } = await answers[req.method]();
      return Response.json(error ? { error: error.message } : { data, email: user?.email }, { headers, status: error ? 400 : 200 });
    });`, { files: SHARED });
  const preflight = await fetch(`${functionsUrl}/acc-tasks`, {
    method: "OPTIONS",
    headers: { origin: "https://app.example.com", "access-control-request-method": "PUT", "access-control-request-headers": "authorization" },
  });
  assert.equal(preflight.status, 200);
  assert.equal(preflight.headers.get("access-control-allow-origin"), "*");

  const [ada, bob] = await Promise.all([newUser(), newUser()]);
  const { data: first, error } = await ada.supabase.functions.invoke("acc-tasks", { body: { task: { name: "write" } } });
  assert.ifError(error);
  assert.deepEqual([first.data.name, first.email], ["write", ada.email]);
  const id = first.data.id;
  const { data: put } = await ada.supabase.functions.invoke(`acc-tasks/${id}`, { method: "PUT", body: { task: { status: 1 } } });
  assert.equal(put.data.status, 1);
  const { data: one } = await ada.supabase.functions.invoke(`acc-tasks/${id}`, { method: "GET" });
  assert.deepEqual(one.data, { id, name: "write", status: 1 });
  const { data: others } = await bob.supabase.functions.invoke("acc-tasks", { method: "GET" });
  assert.deepEqual(others.data, []);
  const denied = await bob.supabase.functions.invoke(`acc-tasks/${id}`, { method: "PUT", body: { task: { status: 2 } } });
  assert.equal(denied.error.context.status, 400);
  await ada.supabase.functions.invoke(`acc-tasks/${id}`, { method: "DELETE" });
  const { data: left } = await ada.supabase.functions.invoke("acc-tasks", { method: "GET" });
  assert.deepEqual(left.data, []);
});

test("Postgres by its own protocol, as a role of the functions' own", async () => {
  await sql("drop table if exists public.acc_countries; create table public.acc_countries (id int primary key, name text); insert into public.acc_countries values (1, 'Chile')");
  await deploy("acc-postgres", `
    import "jsr:@supabase/functions-js/edge-runtime.d.ts";
    import { pgTable, integer, text } from "npm:drizzle-orm@0.44.2/pg-core";
    import { drizzle } from "npm:drizzle-orm@0.44.2/postgres-js";
    import postgres from "npm:postgres@3.4.7";
    const countries = pgTable("acc_countries", { id: integer("id").primaryKey(), name: text("name") });
    const connection = postgres(Deno.env.get("SUPABASE_DB_URL")!, { prepare: false });
    const db = drizzle(connection);
    Deno.serve(async () => {
      const [{ role }] = await connection\`select current_user::text as role\`;
      return Response.json({ role, countries: await db.select().from(countries) });
    });`);
  const answer = await call("acc-postgres");
  assert.deepEqual(await answer.json(), { role: "function_client", countries: [{ id: 1, name: "Chile" }] });
});

test("routers from npm: Hono, and Express on a port", async () => {
  await deploy("acc-hono", `
    import { Hono } from "npm:hono@4.7.5";
    import { cors } from "npm:hono@4.7.5/cors";
    const app = new Hono().basePath("/acc-hono");
    app.use("*", cors());
    app.get("/hello/:name", (c) => c.json({ hello: c.req.param("name") }));
    app.post("/echo", async (c) => c.text(await c.req.text(), 201));
    Deno.serve(app.fetch);`);
  assert.deepEqual(await (await call("acc-hono/hello/ada")).json(), { hello: "ada" });
  const echoed = await call("acc-hono/echo", { method: "POST", body: "again" });
  assert.deepEqual([echoed.status, await echoed.text()], [201, "again"]);
  assert.equal((await call("acc-hono/nowhere")).status, 404);

  await deploy("acc-express", `
    import express from "npm:express@4.21.2";
    const app = express();
    app.use(express.json());
    app.get("/acc-express/hello/:name", (req, res) => res.json({ hello: req.params.name, q: req.query.q }));
    app.post("/acc-express/sum", (req, res) => res.status(201).send(String(req.body.numbers.reduce((a, b) => a + b))));
    app.listen(3000, () => console.log("listening on port 3000"));`);
  assert.deepEqual(await (await call("acc-express/hello/ada?q=1")).json(), { hello: "ada", q: "1" });
  const sum = await call("acc-express/sum", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"numbers":[1,2,3]}',
  });
  assert.deepEqual([sum.status, await sum.text()], [201, "6"]);
});

test("server-sent events, with an end that the client may choose", async () => {
  await deploy("acc-ticks", `Deno.serve(() => {
    let timer: number;
    const ticks = new ReadableStream({
      start(controller) {
        let count = 0;
        timer = setInterval(() => controller.enqueue(new TextEncoder().encode("data: tick " + ++count + "\\n\\n")), 30);
      },
      cancel() {
        clearInterval(timer);
        console.log("nobody listens any more");
      },
    });
    return new Response(ticks, { headers: { "content-type": "text/event-stream" } });
  });`);
  const stop = new AbortController();
  const answer = await call("acc-ticks", { signal: stop.signal });
  let text = "";
  for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (text.includes("tick 3")) break;
  }
  stop.abort();
  assert.match(text, /^data: tick 1\n\ndata: tick 2\n\n/);
  await until("the function is told", async () => {
    const lines = await (await fetch(`${api}/acc-ticks/logs`, { headers: admin })).json();
    return lines.some((line) => line.message === "nobody listens any more");
  });
});

const answersOf = (path, words) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`${functionsUrl.replace("http", "ws")}/${path}`);
    const heard = [];
    socket.on("open", () => words.forEach((word) => socket.send(word)));
    socket.on("message", (message) => {
      heard.push(String(message));
      if (heard.length === words.length) socket.close();
    });
    socket.on("close", () => resolve(heard));
    socket.on("error", reject);
  });

test("WebSockets, by Deno's upgrade and by a server of Node's", async () => {
  await deploy("acc-socket", `Deno.serve((req) => {
    if (req.headers.get("upgrade")?.toLowerCase() !== "websocket") return new Response("expected a WebSocket", { status: 426 });
    const { socket, response } = Deno.upgradeWebSocket(req);
    socket.onmessage = (event) => socket.send("deno " + event.data);
    return response;
  });`, { verify_jwt: false });
  await deploy("acc-node-socket", `
    import { createServer } from "node:http";
    import { WebSocketServer } from "npm:ws@8.18.3";
    const server = createServer();
    const sockets = new WebSocketServer({ noServer: true });
    sockets.on("connection", (socket) => socket.on("message", (data) => socket.send("node " + data)));
    server.on("upgrade", (request, socket, head) =>
      sockets.handleUpgrade(request, socket, head, (each) => sockets.emit("connection", each, request)));
    server.listen(8080);`, { verify_jwt: false });
  assert.deepEqual(await answersOf("acc-socket", ["a", "b"]), ["deno a", "deno b"]);
  assert.deepEqual(await answersOf("acc-node-socket", ["c"]), ["node c"]);
  assert.equal((await call("acc-socket")).status, 426);
});

test("work goes on in the background after the answer", async () => {
  await deploy("acc-background", `
    import { createClient } from "npm:@supabase/supabase-js@2.119.1";
    addEventListener("beforeunload", (event) => console.log("ends because of", event.detail?.reason));
    async function note(name: string) {
      await new Promise((done) => setTimeout(done, 300));
      await Deno.writeTextFile("/tmp/note.txt", name);
      console.log("noted", await Deno.readTextFile("/tmp/note.txt"));
    }
    Deno.serve(async (req) => {
      EdgeRuntime.waitUntil(note((await req.json()).name));
      return new Response("accepted", { status: 202 });
    });`);
  const started = Date.now();
  const answer = await call("acc-background", { method: "POST", body: '{"name":"ada"}' });
  assert.equal(answer.status, 202);
  assert.ok(Date.now() - started < 5000);
  const lines = () => fetch(`${api}/acc-background/logs`, { headers: admin }).then((logs) => logs.json());
  await until("the work is done", async () => (await lines()).some((line) => line.message === "noted ada"));
  // Another version ends the process of this one.
  const body = JSON.stringify({ code: "Deno.serve(() => new Response())" });
  assert.equal((await fetch(`${api}/acc-background`, { method: "PUT", headers: admin, body })).status, 200);
  await until("it says goodbye", async () => (await lines()).some((line) => line.message.startsWith("ends because of")));
});

test("files beside the code, an import map, JSON, WebAssembly and elements", async () => {
  // (module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))
  const wasm = "AGFzbQEAAAABBwFgAn9/AX8DAgEABwcBA2FkZAAACgkBBwAgACABags=";
  await deploy("acc-assets", `
    import { render } from "view";
    import settings from "./settings.json" with { type: "json" };
    const page = await Deno.readTextFile(new URL("./page.html", import.meta.url));
    const { instance } = await WebAssembly.instantiate(await Deno.readFile(new URL("./add.wasm", import.meta.url)));
    const add = instance.exports.add as (a: number, b: number) => number;
    Deno.serve(() => new Response(page.replace("BODY", String(render(settings.title, add(40, 2)))), {
      headers: { "content-type": "text/html" },
    }));`, {
    files: {
      "acc-assets/deno.json": '{ "imports": { "view": "./view.tsx" }, "compilerOptions": { "jsx": "react", "jsxFactory": "h" } }',
      "acc-assets/settings.json": '{ "title": "Sum" }',
      "acc-assets/page.html": "<main>BODY</main>",
      "acc-assets/add.wasm": { base64: wasm },
      "acc-assets/view.tsx": `const h = (tag: string, _: unknown, ...inside: unknown[]) => "<" + tag + ">" + inside.join("") + "</" + tag + ">";
        export const render = (title: string, sum: number) => <h1>{title} {sum}</h1>;`,
    },
  });
  const answer = await call("acc-assets");
  assert.equal(answer.status, 200);
  assert.equal(await answer.text(), "<main><h1>Sum 42</h1></main>");
});

test("uploads to storage, and a signed-in user's token checked by hand", async () => {
  await deploy("acc-upload", `
    import { createClient } from "npm:@supabase/supabase-js@2.119.1";
    const supabase = createClient(Deno.env.get("SUPABASE_URL")!, Deno.env.get("SUPABASE_SERVICE_ROLE_KEY")!);
    Deno.serve(async (req) => {
      const token = req.headers.get("authorization")!.replace("Bearer ", "");
      const { data: { user }, error: unknown } = await supabase.auth.getUser(token);
      if (unknown || !user) return Response.json({ error: "who are you?" }, { status: 401 });
      const file = (await req.formData()).get("file") as File;
      await supabase.storage.createBucket("acc-uploads", { public: false });
      const { data, error } = await supabase.storage.from("acc-uploads").upload(user.id + "/" + file.name, file, { upsert: true });
      if (error) return Response.json({ error: error.message }, { status: 400 });
      const back = await supabase.storage.from("acc-uploads").download(data.path);
      return Response.json({ path: data.path, text: await back.data!.text() }, { status: 201 });
    });`);
  const { supabase, user } = await newUser();
  const form = new FormData();
  form.set("file", new File(["content"], "note.txt", { type: "text/plain" }));
  const { data, error } = await supabase.functions.invoke("acc-upload", { body: form });
  assert.ifError(error);
  assert.deepEqual(data, { path: `${user.id}/note.txt`, text: "content" });
  const anonymous = await client().functions.invoke("acc-upload", { body: form });
  assert.equal(anonymous.error.context.status, 401);
});

test("compression, cryptography and other modules of Node's", async () => {
  await deploy("acc-node", `
    import { gunzipSync, gzipSync } from "node:zlib";
    import { createHmac, timingSafeEqual } from "node:crypto";
    import { Buffer } from "node:buffer";
    import process from "node:process";
    Deno.serve(async (req) => {
      const sent = new Uint8Array(await req.arrayBuffer());
      const text = gunzipSync(sent).toString();
      const mac = createHmac("sha256", "key").update(text).digest();
      return Response.json({
        text, same: timingSafeEqual(mac, Buffer.from(mac)), back: gzipSync(text).length > 0,
        url: process.env.SUPABASE_URL === Deno.env.get("SUPABASE_URL"),
      });
    });`);
  const { gzipSync } = await import("node:zlib");
  const answer = await call("acc-node", { method: "POST", body: gzipSync("pressed") });
  assert.deepEqual(await answer.json(), { text: "pressed", same: true, back: true, url: true });
});

test("a webhook of another platform is called without a token and checks its signature", async () => {
  await deploy("acc-hooked", `
    const key = await crypto.subtle.importKey("raw", new TextEncoder().encode("whsec"), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
    Deno.serve(async (req) => {
      const given = Uint8Array.from(atob(req.headers.get("x-signature") ?? ""), (each) => each.charCodeAt(0));
      const good = await crypto.subtle.verify("HMAC", key, given, await req.arrayBuffer());
      return new Response(good ? "ok" : "bad signature", { status: good ? 200 : 400 });
    });`, { verify_jwt: false });
  const { createHmac } = await import("node:crypto");
  const body = '{"type":"paid"}';
  const send = (secret) =>
    fetch(`${functionsUrl}/acc-hooked`, {
      method: "POST",
      headers: { "x-signature": createHmac("sha256", secret).update(body).digest("base64") },
      body,
    });
  assert.equal((await send("whsec")).status, 200);
  assert.equal((await send("guess")).status, 400);
});
