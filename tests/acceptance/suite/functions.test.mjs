import assert from "node:assert/strict";
import { test } from "node:test";
import { client, env, url } from "../lib/instance.mjs";

test("the README's example function answers", async () => {
  const { data, error } = await client().functions.invoke("hello?name=ada", { method: "GET" });
  assert.ifError(error);
  assert.equal(data.message, "Hello from SelfDB function!");
  assert.equal(data.method, "GET");
  assert.deepEqual(data.params, { name: "ada" });
});

test("a function in Supabase's format answers a POST", async () => {
  const { data, error } = await client().functions.invoke("hello-supabase", { body: { name: "Ada" } });
  assert.ifError(error);
  assert.match(JSON.stringify(data), /Ada/);
});

test("without a token a function is refused, and an unknown one is not found", async () => {
  const refused = await fetch(`${url}/functions/v1/hello`);
  assert.equal(refused.status, 401);
  assert.equal(refused.headers.get("sb-error-code"), "UNAUTHORIZED_NO_AUTH_HEADER");
  const unknown = await fetch(`${url}/functions/v1/no-such`, { headers: { authorization: `Bearer ${env.ANON_KEY}` } });
  assert.equal(unknown.status, 404);
});

test("the runtime's health answers on its own port", async () => {
  const response = await fetch(`http://127.0.0.1:${env.FUNCTIONS_PORT}/health`);
  assert.equal(response.status, 200);
});
