"""The unmodified PyPI clients, sync and async: what `functions.invoke` sends, reads and raises."""

import asyncio
import json
import os
import unittest
import urllib.request
import uuid

from supabase import acreate_client, create_client
from supabase_functions.errors import FunctionsHttpError
from supabase_functions.utils import FunctionRegion

from test_supabase import ENV, PASSWORD, URL

NAME = f"py-mirror-{uuid.uuid4().hex[:8]}"
MIRROR = """Deno.serve(async (req) => {
  const url = new URL(req.url);
  const answer = url.searchParams.get("answer");
  if (answer === "bytes") return new Response(new Uint8Array([0, 255, 7]), { headers: { "content-type": "application/octet-stream" } });
  if (answer === "text") return new Response("grüße");
  if (answer === "nothing") return new Response(null, { status: 204 });
  if (answer === "redirect") return new Response(null, { status: 303, headers: { location: `/functions/v1${url.pathname}?answer=text` } });
  if (answer === "said") return Response.json({ error: "out of stock" }, { status: 409 });
  if (answer === "plain") return new Response("teapot", { status: 418 });
  if (answer === "throw") throw new Error("on purpose");
  const body = await req.text();
  return Response.json({ method: req.method, query: url.search, body, headers: Object.fromEntries(req.headers) });
});"""


def admin(method, path, body=None):
    headers = {"authorization": f"Bearer {ENV['SERVICE_ROLE_KEY']}", "content-type": "application/json"}
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(f"{URL}/api/v1/functions{path}", data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return answer.status


def setUpModule():
    assert admin("POST", "", {"name": NAME, "code": MIRROR}) == 201


def tearDownModule():
    admin("DELETE", f"/{NAME}")


# What is sent, and the body and the type that have to arrive.
BODIES = [
    ({"body": {"a": [1, "ü"]}}, {"a": [1, "ü"]}, "application/json"),
    ({"body": "grüße 🌍"}, "grüße 🌍", "text/plain"),
    ({"body": b"bytes"}, "bytes", "application/octet-stream"),
    ({"body": "<a/>", "headers": {"Content-Type": "application/xml"}}, "<a/>", "application/xml"),
    ({}, "", None),
]

# Which answer is asked for, and the message and the status that are raised.
FAILURES = [("said", "out of stock", 409), ("plain", "teapot", 418), ("throw", None, 500)]


class Checks:
    """What holds of both clients; `invoke` is the one that a class below gives."""

    def mirror(self, options=None, query=""):
        return self.invoke(f"{NAME}{query}", {"responseType": "json", **(options or {})})

    def test_bodies(self):
        for options, body, kind in BODIES:
            with self.subTest(options):
                seen = self.mirror(options)
                sent = json.loads(seen["body"]) if isinstance(body, dict) else seen["body"]
                self.assertEqual((sent, seen["headers"].get("content-type")), (body, kind))
                self.assertEqual(seen["method"], "POST")

    def test_methods_headers_and_regions(self):
        for method in ["GET", "PUT", "PATCH", "DELETE"]:
            self.assertEqual(self.mirror({"method": method})["method"], method)
        seen = self.mirror({"headers": {"x-own": "mine"}, "region": FunctionRegion.EuCentral1}, "?a=1")
        self.assertEqual((seen["headers"]["x-own"], seen["headers"]["x-region"]), ("mine", "eu-central-1"))
        self.assertIn("a=1", seen["query"])
        self.assertIn("forceFunctionRegion=eu-central-1", seen["query"])
        self.assertEqual(seen["headers"]["authorization"], f"Bearer {ENV['ANON_KEY']}")

    def test_answers(self):
        self.assertEqual(self.invoke(f"{NAME}?answer=bytes"), b"\x00\xff\x07")
        self.assertEqual(self.invoke(f"{NAME}?answer=text").decode(), "grüße")
        self.assertEqual(self.invoke(f"{NAME}?answer=nothing"), b"")
        self.assertEqual(self.invoke(f"{NAME}?answer=redirect").decode(), "grüße")
        self.assertIsInstance(self.invoke(NAME, {"body": {}}), bytes)

    def test_failures(self):
        for answer, message, status in FAILURES:
            with self.subTest(answer), self.assertRaises(FunctionsHttpError) as raised:
                self.invoke(f"{NAME}?answer={answer}")
            self.assertEqual(raised.exception.status, status)
            if message:
                self.assertEqual(raised.exception.message, message)
        with self.assertRaises(FunctionsHttpError) as raised:
            self.invoke("py-not-there")
        self.assertEqual(raised.exception.status, 404)
        with self.assertRaises(FunctionsHttpError) as raised:
            self.invoke(NAME, {"headers": {"Authorization": "Bearer nonsense"}})
        self.assertEqual(raised.exception.status, 401)


class SyncFunctions(Checks, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = create_client(URL, ENV["ANON_KEY"])

    def invoke(self, name, options=None):
        return self.client.functions.invoke(name, options)

    def test_a_session_is_the_caller(self):
        client = create_client(URL, ENV["ANON_KEY"])
        session = client.auth.sign_up({"email": f"py-{uuid.uuid4()}@example.com", "password": PASSWORD}).session
        seen = client.functions.invoke(NAME, {"responseType": "json"})
        self.assertEqual(seen["headers"]["authorization"], f"Bearer {session.access_token}")


class AsyncFunctions(Checks, unittest.TestCase):
    def invoke(self, name, options=None):
        async def call():
            client = await acreate_client(URL, ENV["ANON_KEY"])
            return await client.functions.invoke(name, options)

        return asyncio.run(call())

    def test_calls_go_side_by_side(self):
        async def calls():
            client = await acreate_client(URL, ENV["ANON_KEY"])
            asked = [client.functions.invoke(NAME, {"body": str(n), "responseType": "json"}) for n in range(20)]
            return await asyncio.gather(*asked)

        self.assertEqual([seen["body"] for seen in asyncio.run(calls())], [str(n) for n in range(20)])


if __name__ == "__main__":
    # The clients leave their connections to the interpreter.
    unittest.main(warnings="ignore")
