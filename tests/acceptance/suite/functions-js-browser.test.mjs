// functions-js, unmodified, as pages use it: further kinds of bodies and answers, and what a
// browser asks before a call.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { FunctionsHttpError } from "@supabase/supabase-js";
import { client, env, url } from "../lib/instance.mjs";

const api = `${url}/api/v1/functions`;
const functionsUrl = `${url}/functions/v1`;
const name = "acc-page";
const admin = { authorization: `Bearer ${env.SERVICE_ROLE_KEY}`, "content-type": "application/json" };
const origin = "https://app.example.com";

const PAGE = `
const headers = {
  "Access-Control-Allow-Origin": "${origin}",
  "Access-Control-Allow-Headers": "authorization, x-client-info, apikey, content-type, x-region, x-own",
  "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
  "Access-Control-Expose-Headers": "x-count",
};
Deno.serve(async (req) => {
  if (req.method === "OPTIONS") return new Response("ok", { headers });
  const asked = new URL(req.url).searchParams;
  const status = Number(asked.get("status") ?? 200);
  if (asked.get("answer") === "problem") {
    return Response.json({ code: "problem", details: { fields: ["name"] } }, { status, headers: { ...headers, "x-count": "1" } });
  }
  if (asked.get("answer") === "text") return new Response("not so", { status });
  if (asked.get("answer") === "upper") {
    const upper = new TransformStream({ transform: (text: string, out) => out.enqueue(text.toUpperCase()) });
    const loud = req.body!.pipeThrough(new TextDecoderStream()).pipeThrough(upper).pipeThrough(new TextEncoderStream());
    return new Response(loud, { headers: { "content-type": "text/event-stream" } });
  }
  const bytes = new Uint8Array(await req.arrayBuffer());
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Response.json({
    method: req.method, type: req.headers.get("content-type"), length: bytes.length, hash: btoa(String.fromCharCode(...hash)),
    text: bytes.length < 100 ? new TextDecoder().decode(bytes) : null,
  }, { headers: { ...headers, "x-count": "7" } });
});`;

before(async () => {
  await fetch(`${api}/${name}`, { method: "DELETE", headers: admin });
  const made = await fetch(api, { method: "POST", headers: admin, body: JSON.stringify({ name, code: PAGE }) });
  assert.equal(made.status, 201, await made.text());
});
after(() => fetch(`${api}/${name}`, { method: "DELETE", headers: admin }));

const { functions } = client();

async function seen(options) {
  const { data, error } = await functions.invoke(name, options);
  assert.ifError(error);
  return data;
}

const octets = { "Content-Type": "application/octet-stream" };

test("bytes, forms of a page and nothing are bodies", async () => {
  const bytes = new Uint8Array([0, 104, 105, 0]).subarray(1, 3);
  for (const view of [bytes, new DataView(bytes.buffer, 1, 2), new Uint16Array([0x6968])]) {
    const sent = await seen({ body: new Blob([view]), headers: octets });
    assert.deepEqual([sent.text, sent.type], ["hi", "application/octet-stream"]);
  }
  // The client makes JSON of a view that is in nothing.
  const bare = await seen({ body: bytes });
  assert.deepEqual([bare.text, bare.type], ['{"0":104,"1":105}', "application/json"]);
  const fields = new URLSearchParams({ a: "1 2", b: "&" });
  const form = await seen({ body: String(fields), headers: { "Content-Type": "application/x-www-form-urlencoded" } });
  assert.deepEqual([form.text, form.type], ["a=1+2&b=%26", "application/x-www-form-urlencoded"]);
  assert.deepEqual([(await seen({ body: "" })).length, (await seen()).length], [0, 0]);
});

test("a body of 5 MB arrives whole", async () => {
  const bytes = new Uint8Array(5_000_000).map((_, index) => index % 251);
  const hash = Buffer.from(await crypto.subtle.digest("SHA-256", bytes)).toString("base64");
  const sent = await seen({ body: new Blob([bytes], { type: "application/x-own" }) });
  assert.deepEqual([sent.length, sent.hash], [5_000_000, hash]);
});

test("every method of the client carries its body", async () => {
  for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
    const sent = await seen({ method, body: { method } });
    assert.deepEqual([sent.method, sent.text], [method, JSON.stringify({ method })]);
  }
});

test("a failure's body and headers can be read from the error's context", async () => {
  for (const status of [400, 401, 403, 404, 409, 422, 429, 500, 503]) {
    const { data, error } = await functions.invoke(`${name}?answer=problem&status=${status}`);
    assert.ok(error instanceof FunctionsHttpError);
    assert.deepEqual([data, error.context.status, error.context.headers.get("x-count")], [null, status, "1"]);
    assert.deepEqual(await error.context.json(), { code: "problem", details: { fields: ["name"] } });
  }
  const { error } = await functions.invoke(`${name}?answer=text&status=418`);
  assert.equal(await error.context.text(), "not so");
});

test("a stream is answered while it is still being sent", async () => {
  const words = new TransformStream();
  const writer = words.writable.getWriter();
  const encode = (text) => new TextEncoder().encode(text);
  writer.write(encode("data: one\n\n"));
  const answered = await fetch(`${functionsUrl}/${name}?answer=upper`, {
    method: "POST",
    headers: { authorization: `Bearer ${env.ANON_KEY}`, "content-type": "text/plain" },
    body: words.readable,
    duplex: "half",
  });
  const reader = answered.body.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await reader.read()).value, "DATA: ONE\n\n");
  writer.write(encode("data: two\n\n"));
  assert.equal((await reader.read()).value, "DATA: TWO\n\n");
  writer.close();
  assert.equal((await reader.read()).done, true);
});

test("a browser's question is answered by the function, without a token", async () => {
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
    const asked = await fetch(`${functionsUrl}/${name}`, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": method,
        "access-control-request-headers": "apikey,authorization,content-type,x-client-info,x-own,x-region",
      },
    });
    assert.deepEqual([asked.status, await asked.text()], [200, "ok"]);
    assert.equal(asked.headers.get("access-control-allow-origin"), origin);
    assert.match(asked.headers.get("access-control-allow-headers"), /x-client-info.*x-own/);
    assert.match(asked.headers.get("access-control-allow-methods"), new RegExp(method));
  }
  const answered = await fetch(`${functionsUrl}/${name}`, { headers: { origin, authorization: `Bearer ${env.ANON_KEY}` } });
  assert.equal(answered.headers.get("access-control-allow-origin"), origin);
  assert.equal(answered.headers.get("access-control-expose-headers"), "x-count");
});
