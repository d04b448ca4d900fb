"""A mail server that keeps letters: `smtp_sink.py PORT FILE` appends each to FILE as a line of JSON."""

import asyncio
import email
import email.policy
import json
import sys

from aiosmtpd.smtp import SMTP


class Sink:
    def __init__(self, path):
        self.path = path

    async def handle_DATA(self, server, session, envelope):
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        text = letter.get_body(preferencelist=("plain",)).get_content()
        line = {"to": envelope.rcpt_tos, "subject": letter["subject"], "text": text}
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return "250 OK"


async def main(port, path):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Sink(path), loop=loop), "127.0.0.1", port)
    await server.serve_forever()


asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
