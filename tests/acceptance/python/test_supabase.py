"""The unmodified PyPI client against the instance of SELFDB_ENV_FILE."""

import asyncio
import json
import os
import re
import time
import unittest
import uuid

from supabase import acreate_client, create_client
from supabase_auth.errors import AuthApiError


def read_env(path):
    with open(path, encoding="utf-8") as lines:
        pairs = (line.strip().partition("=") for line in lines if "=" in line and not line.startswith("#"))
        return {name: value for name, _, value in pairs}


ENV = read_env(os.environ["SELFDB_ENV_FILE"])
URL = f"http://localhost:{ENV['API_PORT']}"
PASSWORD = "correct horse battery 9"


class SupabasePy(unittest.TestCase):
    def sign_up(self):
        client = create_client(URL, ENV["ANON_KEY"])
        email = f"py-{uuid.uuid4()}@example.com"
        answer = client.auth.sign_up({"email": email, "password": PASSWORD})
        self.assertIsNotNone(answer.session)
        return client, email, answer

    def test_auth(self):
        client, email, signed_up = self.sign_up()
        signed_in = client.auth.sign_in_with_password({"email": email, "password": PASSWORD})
        self.assertEqual(signed_in.user.id, signed_up.user.id)
        refreshed = client.auth.refresh_session()
        self.assertNotEqual(refreshed.session.refresh_token, signed_in.session.refresh_token)
        self.assertEqual(client.auth.get_user().user.email, email)
        client.auth.sign_out()
        with self.assertRaises(AuthApiError):
            client.auth.sign_in_with_password({"email": email, "password": "wrong password"})

    def letter_to(self, address):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                with open(os.environ["SELFDB_MAILS"], encoding="utf-8") as lines:
                    letters = [json.loads(line) for line in lines]
            except FileNotFoundError:
                letters = []
            for letter in letters:
                if address in letter["to"]:
                    return letter["text"]
            time.sleep(0.05)
        raise TimeoutError(f"no letter to {address}")

    def test_code_from_a_letter(self):
        client = create_client(URL, ENV["ANON_KEY"])
        email = f"py-{uuid.uuid4()}@example.com"
        client.auth.sign_in_with_otp({"email": email})
        code = re.search(r"enter the code: (\d+)", self.letter_to(email)).group(1)
        verified = client.auth.verify_otp({"type": "email", "email": email, "token": code})
        self.assertEqual(verified.user.email, email)
        self.assertEqual(client.auth.get_user().user.id, verified.user.id)
        with self.assertRaises(AuthApiError):
            client.auth.verify_otp({"type": "email", "email": email, "token": code})

    def test_rest(self):
        service = create_client(URL, ENV["SERVICE_ROLE_KEY"])
        table = os.environ["SELFDB_PYTHON_TABLE"]
        inserted = service.table(table).insert([{"id": n, "name": f"row {n}"} for n in range(5)]).execute()
        self.assertEqual(len(inserted.data), 5)
        page = service.table(table).select("*", count="exact").gte("id", 1).order("id", desc=True).limit(2).execute()
        self.assertEqual([row["id"] for row in page.data], [4, 3])
        self.assertEqual(page.count, 4)
        service.table(table).update({"name": "changed"}).eq("id", 1).execute()
        self.assertEqual(service.table(table).select("name").eq("id", 1).single().execute().data, {"name": "changed"})
        service.table(table).delete().gte("id", 0).execute()

    def test_storage(self):
        service = create_client(URL, ENV["SERVICE_ROLE_KEY"])
        bucket = f"py-{uuid.uuid4()}"
        service.storage.create_bucket(bucket, options={"public": True})
        body = os.urandom(1_000_000)
        service.storage.from_(bucket).upload("folder/file.bin", body, {"content-type": "application/octet-stream"})
        self.assertEqual(service.storage.from_(bucket).download("folder/file.bin"), body)
        self.assertEqual([entry["name"] for entry in service.storage.from_(bucket).list("folder")], ["file.bin"])
        service.storage.from_(bucket).remove(["folder/file.bin"])
        service.storage.delete_bucket(bucket)

    def test_functions(self):
        client = create_client(URL, ENV["ANON_KEY"])
        answer = client.functions.invoke("hello", invoke_options={"method": "GET"})
        self.assertIn(b"Hello from SelfDB function!", answer)

    def test_realtime(self):
        asyncio.run(self.realtime())

    async def realtime(self):
        client = await acreate_client(URL, ENV["ANON_KEY"])
        heard = asyncio.Event()
        subscribed = asyncio.Event()
        channel = client.channel("python", {"config": {"broadcast": {"self": True}}})
        channel.on_broadcast("shout", lambda _: heard.set())
        await channel.subscribe(lambda status, _: subscribed.set() if str(status).endswith("SUBSCRIBED") else None)
        await asyncio.wait_for(subscribed.wait(), 10)
        await channel.send_broadcast("shout", {"n": 1})
        await asyncio.wait_for(heard.wait(), 10)
        await client.realtime.close()


if __name__ == "__main__":
    unittest.main()
