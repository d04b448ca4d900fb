// functions-js, unmodified: what it sends, what it reads, and how it tells failures apart.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import {
  FunctionRegion,
  FunctionsFetchError,
  FunctionsHttpError,
  FunctionsRelayError,
} from "@supabase/supabase-js";
import { FunctionsClient } from "@supabase/functions-js";
import { client, env, newUser, url } from "../lib/instance.mjs";

const functionsUrl = `${url}/functions/v1`;
const api = `${url}/api/v1/functions`;
const admin = {
  apikey: env.SERVICE_ROLE_KEY,
  authorization: `Bearer ${env.SERVICE_ROLE_KEY}`,
  "content-type": "application/json",
};

const MIRROR = `Deno.serve(async (req) => {
  const url = new URL(req.url);
  const answer = url.searchParams.get("answer");
  if (answer === "pdf") return new Response(new Uint8Array([37, 80]), { headers: { "content-type": "application/pdf" } });
  if (answer === "loud") return new Response('{"a":1}', { headers: { "content-type": "Application/JSON; charset=utf-8" } });
  if (answer === "nothing") return new Response(null, { status: 204 });
  if (answer === "silence") await new Promise((done) => setTimeout(done, 5000));
  if (answer === "throw") throw new Error("on purpose");
  if (answer === "redirect") return new Response(null, { status: 303, headers: { location: "/functions/v1/acc-mirror?answer=loud" } });
  if (answer === "pieces") {
    const words = ["a", "b", "c"];
    return new Response(new ReadableStream({
      async pull(controller) {
        const word = words.shift();
        if (!word) return controller.close();
        controller.enqueue(new TextEncoder().encode(word));
        await new Promise((done) => setTimeout(done, 300));
      },
    }), { headers: { "content-type": "text/event-stream" } });
  }
  const bytes = new Uint8Array(await req.arrayBuffer());
  return Response.json({
    method: req.method, path: url.pathname, query: url.search, length: bytes.length,
    text: bytes.length < 500 ? new TextDecoder().decode(bytes) : null,
    headers: Object.fromEntries(req.headers),
  }, { headers: { "x-custom": "from the function" } });
});`;

const FILES = `Deno.serve(async (req) => {
  const form = await req.formData();
  const file = form.get("file");
  const back = new FormData();
  back.set("names", form.getAll("name").join("+"));
  back.set("file", new File([(await file.text()).toUpperCase()], "loud-" + file.name, { type: file.type }));
  return new Response(back);
});`;

async function deploy(name, code) {
  await fetch(`${api}/${name}`, { method: "DELETE", headers: admin });
  const made = await fetch(api, { method: "POST", headers: admin, body: JSON.stringify({ name, code }) });
  assert.equal(made.status, 201, await made.text());
}

before(async () => {
  await deploy("acc-mirror", MIRROR);
  await deploy("acc-files", FILES);
});
after(() =>
  Promise.all(["acc-mirror", "acc-files"].map((name) => fetch(`${api}/${name}`, { method: "DELETE", headers: admin }))));

const { functions } = client();

async function mirror(options, query = "") {
  const { data, error, response } = await functions.invoke(`acc-mirror${query}`, options);
  assert.ifError(error);
  assert.equal(response.status, 200);
  return data;
}

test("bodies arrive as they were sent, with the type the client gives them", async () => {
  const nothing = await mirror({});
  assert.deepEqual([nothing.method, nothing.length], ["POST", 0]);

  const file = await mirror({ body: new File(["<p>"], "page.html", { type: "text/html" }) });
  assert.deepEqual([file.text, file.headers["content-type"]], ["<p>", "text/html"]);

  const large = await mirror({ body: new Uint8Array(2_000_000).fill(7).buffer });
  assert.equal(large.length, 2_000_000);

  const query = new URLSearchParams({ a: "1", b: "ü" }).toString();
  const encoded = await mirror({ body: query, headers: { "Content-Type": "application/x-www-form-urlencoded" } });
  assert.deepEqual([encoded.text, encoded.headers["content-type"]], ["a=1&b=%C3%BC", "application/x-www-form-urlencoded"]);

  const typed = await mirror({ body: { a: 1 }, headers: { "content-type": "application/vnd.api+json" } });
  assert.deepEqual([typed.text, typed.headers["content-type"]], ['{"a":1}', "application/vnd.api+json"]);

  const unicode = await mirror({ body: "grüße 🌍" });
  assert.equal(unicode.text, "grüße 🌍");
});

test("a stream is a body too", async () => {
  const body = new ReadableStream({
    async start(controller) {
      for (const word of ["one ", "two ", "three"]) {
        controller.enqueue(new TextEncoder().encode(word));
        await new Promise((done) => setTimeout(done, 10));
      }
      controller.close();
    },
  });
  const headers = { authorization: `Bearer ${env.ANON_KEY}`, "content-type": "text/plain" };
  const answered = await fetch(`${functionsUrl}/acc-mirror/deep/path?x=1`, { method: "POST", headers, body, duplex: "half" });
  const seen = await answered.json();
  assert.deepEqual([seen.text, seen.path, seen.query], ["one two three", "/acc-mirror/deep/path", "?x=1"]);
});

test("forms with files go both ways", async () => {
  const form = new FormData();
  form.append("name", "Ada");
  form.append("name", "Bob");
  form.set("file", new File(["hello"], "hello.txt", { type: "text/plain" }));
  const { data, error } = await functions.invoke("acc-files", { body: form });
  assert.ifError(error);
  assert.equal(data.get("names"), "Ada+Bob");
  assert.deepEqual([data.get("file").name, await data.get("file").text()], ["loud-hello.txt", "HELLO"]);
});

test("answers are read by their type", async () => {
  const pdf = await mirror({}, "?answer=pdf");
  assert.ok(pdf instanceof Blob);
  assert.equal(pdf.size, 2);
  assert.deepEqual(await mirror({}, "?answer=loud"), { a: 1 });
  assert.deepEqual(await mirror({ method: "GET" }, "?answer=redirect"), { a: 1 });
  const { data, error, response } = await functions.invoke("acc-mirror?answer=nothing");
  assert.ifError(error);
  assert.deepEqual([data, response.status], ["", 204]);
  const { response: answered } = await functions.invoke("acc-mirror");
  assert.equal(answered.headers.get("x-custom"), "from the function");
  assert.match(answered.headers.get("x-deno-execution-id"), /^[0-9a-f-]{36}$/);
});

test("a stream's pieces arrive as they are sent", async () => {
  const response = await mirror({}, "?answer=pieces");
  const times = [];
  for await (const _ of response.body) times.push(Date.now());
  assert.equal(times.length, 3);
  assert.ok(times[2] - times[0] > 200, "they came one by one");
});

test("regions, custom headers and another authorization are passed on", async () => {
  const seen = await mirror({ region: FunctionRegion.EuCentral1, headers: { "x-own": "mine" } });
  assert.equal(seen.headers["x-region"], "eu-central-1");
  assert.match(seen.query, /forceFunctionRegion=eu-central-1/);
  assert.equal(seen.headers["x-own"], "mine");
  assert.equal(seen.headers.authorization, `Bearer ${env.ANON_KEY}`);
  assert.match(seen.headers["x-client-info"], /supabase-js/);

  const { supabase, session } = await newUser();
  const { data } = await supabase.functions.invoke("acc-mirror");
  assert.equal(data.headers.authorization, `Bearer ${session.access_token}`);

  const own = new FunctionsClient(functionsUrl, { region: FunctionRegion.UsEast1 });
  own.setAuth(session.access_token);
  const { data: again, error } = await own.invoke("acc-mirror");
  assert.ifError(error);
  assert.deepEqual([again.headers["x-region"], again.headers.authorization], ["us-east-1", `Bearer ${session.access_token}`]);
});

test("a failure of the function, of the platform and of the network are three things", async () => {
  const thrown = await functions.invoke("acc-mirror?answer=throw");
  assert.ok(thrown.error instanceof FunctionsHttpError);
  assert.deepEqual([thrown.data, thrown.error.context.status], [null, 500]);

  const unknown = await functions.invoke("acc-not-there");
  assert.ok(unknown.error instanceof FunctionsHttpError);
  assert.deepEqual([unknown.error.context.status, (await unknown.error.context.json()).code], [404, "NOT_FOUND"]);

  const refused = await new FunctionsClient(functionsUrl, { headers: { Authorization: "Bearer nonsense" } }).invoke("acc-mirror");
  assert.ok(refused.error instanceof FunctionsHttpError);
  assert.equal(refused.error.context.status, 401);
  assert.equal((await refused.error.context.json()).code, "UNAUTHORIZED_INVALID_JWT_FORMAT");

  // A relay that has no function to bring a request to says so in a header.
  const relay = new FunctionsClient(functionsUrl, {
    customFetch: async (...given) => {
      const answered = await fetch(...given);
      return new Response(answered.body, { status: 502, headers: { "x-relay-error": "true" } });
    },
  });
  relay.setAuth(env.ANON_KEY);
  assert.ok((await relay.invoke("acc-mirror")).error instanceof FunctionsRelayError);

  const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const nowhere = new FunctionsClient(`http://127.0.0.1:${server.address().port}`);
  assert.ok((await nowhere.invoke("x")).error instanceof FunctionsFetchError);
  server.close();
});

test("a call that is given up ends, and the function goes on answering", async () => {
  const timed = await functions.invoke("acc-mirror?answer=silence", { timeout: 200 });
  assert.ok(timed.error instanceof FunctionsFetchError);
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 100);
  const aborted = await functions.invoke("acc-mirror?answer=silence", { signal: stop.signal });
  assert.ok(aborted.error instanceof FunctionsFetchError);
  assert.equal((await mirror({ method: "GET" })).method, "GET");
});

test("a browser's question before the call is answered where the function has nothing to say", async () => {
  const asked = await fetch(`${functionsUrl}/acc-mirror`, {
    method: "OPTIONS",
    headers: { origin: "https://app.example.com", "access-control-request-method": "POST" },
  });
  assert.ok(asked.ok);
  assert.ok(asked.headers.get("access-control-allow-origin"));
});
