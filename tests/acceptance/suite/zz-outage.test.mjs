// Runs last: it kills Postgres under the instance.
import assert from "node:assert/strict";
import { test } from "node:test";
import { env, service, sql, until, untilExposed, url } from "../lib/instance.mjs";
import { postmasterPid } from "../lib/processes.mjs";

test("Postgres killed under load: 503 meanwhile, serving again within 10 s, nothing acknowledged is lost", async () => {
  const table = `outage_${process.pid}`;
  await sql(`create table public.${table} (id int primary key)`);
  await untilExposed(table);

  const acknowledged = [];
  const refused = [];
  let id = 0;
  let running = true;
  const write = async () => {
    while (running) {
      id += 1;
      const mine = id;
      const response = await fetch(`${url}/rest/v1/${table}`, {
        method: "POST",
        headers: { apikey: env.SERVICE_ROLE_KEY, "content-type": "application/json", prefer: "return=minimal" },
        body: JSON.stringify({ id: mine }),
      });
      const text = await response.text();
      if (response.status === 201) acknowledged.push(mine);
      else refused.push({ status: response.status, retryAfter: response.headers.get("retry-after"), text });
    }
  };
  const writers = Array.from({ length: 8 }, write);
  await until("writes are acknowledged", () => acknowledged.length > 200);

  const killed = postmasterPid();
  assert.ok(killed > 1);
  process.kill(killed, "SIGKILL");
  const at = Date.now();
  await until("a write is refused", () => refused.length > 0);
  const before = acknowledged.length;
  await until("writes are acknowledged again", () => acknowledged.length > before + 50, 10);
  const seconds = (Date.now() - at) / 1000;
  running = false;
  await Promise.all(writers);

  for (const answer of refused) {
    assert.equal(answer.status, 503, JSON.stringify(answer));
    assert.ok(Number(answer.retryAfter) >= 1, "Retry-After says when to come back");
  }
  const { data, error } = await service().from(table).select("id").limit(1_000_000);
  assert.ifError(error);
  const kept = new Set(data.map((row) => row.id));
  const lost = acknowledged.filter((row) => !kept.has(row));
  assert.deepEqual(lost, []);
  assert.ok(seconds < 10, `serving again after ${seconds} s`);
  assert.notEqual(postmasterPid(), killed, "Postgres was started again");
});

test("every service answers again after Postgres was restarted", async () => {
  await until("/ready answers 200", async () => (await fetch(`${url}/ready`)).status === 200, 20);
});
