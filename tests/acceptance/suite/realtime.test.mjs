import assert from "node:assert/strict";
import { before, test } from "node:test";
import { client, env, newUser, service, until, url } from "../lib/instance.mjs";
import { subscribed } from "../lib/subscribed.mjs";
import { createTodos } from "../lib/todos.mjs";
import WebSocket from "ws";

const table = `todos_realtime_${process.pid}`;
before(() => createTodos(table));

for (const vsn of ["1.0.0", "2.0.0"]) {
  test(`a write right after SUBSCRIBED arrives, and others' rows do not (protocol ${vsn})`, async () => {
    const [ada, bob] = [await newUser(), await newUser()];
    const supabase = client(env.ANON_KEY, { realtime: { vsn } });
    await supabase.auth.setSession(ada.session);
    await supabase.realtime.setAuth(ada.session.access_token);
    const events = [];
    const channel = supabase.channel(`todos-${vsn}`)
      .on("postgres_changes", { event: "*", schema: "public", table }, (event) => events.push(event));
    await subscribed(channel);

    const inserts = [];
    for (let i = 0; i < 50; i += 1) {
      inserts.push(ada.supabase.from(table).insert({ title: `${vsn} ${i}` }));
      inserts.push(bob.supabase.from(table).insert({ title: `bob ${vsn} ${i}` }));
    }
    for (const { error } of await Promise.all(inserts)) assert.ifError(error);

    await until("50 inserts arrive", () => events.length >= 50);
    const updated = await ada.supabase.from(table).update({ title: "renamed" }).eq("title", `${vsn} 0`);
    assert.ifError(updated.error);
    await until("the update arrives", () => events.length >= 51);
    assert.equal(events.length, 51);
    assert.equal(new Set(events.slice(0, 50).map((event) => event.new.id)).size, 50);
    for (const event of events) {
      assert.equal(event.schema, "public");
      assert.equal(event.table, table);
      assert.equal(event.new.user_id, ada.user.id);
    }
    assert.equal(events[50].eventType, "UPDATE");
    assert.equal(events[50].new.title, "renamed");
    await supabase.removeAllChannels();
  });

  test(`broadcast reaches the others, and the sender where it asked (protocol ${vsn})`, async () => {
    const [sender, receiver] = [client(env.ANON_KEY, { realtime: { vsn } }), client(env.ANON_KEY, { realtime: { vsn } })];
    const topic = `room-${vsn}-${process.pid}`;
    const heard = { sender: [], receiver: [] };
    const config = { config: { broadcast: { self: true, ack: true } } };
    const out = sender.channel(topic, config).on("broadcast", { event: "shout" }, (m) => heard.sender.push(m.payload));
    const into = receiver.channel(topic).on("broadcast", { event: "shout" }, (m) => heard.receiver.push(m.payload));
    await Promise.all([subscribed(out), subscribed(into)]);
    assert.equal(await out.send({ type: "broadcast", event: "shout", payload: { n: 1 } }), "ok");
    await until("both hear it", () => heard.sender.length === 1 && heard.receiver.length === 1);
    assert.deepEqual(heard.receiver, [{ n: 1 }]);

    const posted = await fetch(`${url}/realtime/v1/api/broadcast`, {
      method: "POST",
      headers: { apikey: env.SERVICE_ROLE_KEY, "content-type": "application/json" },
      body: JSON.stringify({ messages: [{ topic, event: "shout", payload: { n: 2 } }] }),
    });
    assert.equal(posted.status, 202);
    await until("the posted message arrives", () => heard.receiver.length === 2);
    await Promise.all([sender.removeAllChannels(), receiver.removeAllChannels()]);
  });
}

test("a row larger than NOTIFY could carry arrives once", async () => {
  const { supabase, session } = await newUser();
  await supabase.realtime.setAuth(session.access_token);
  const events = [];
  const channel = supabase.channel("large")
    .on("postgres_changes", { event: "INSERT", schema: "public", table }, (event) => events.push(event));
  await subscribed(channel);
  const title = "x".repeat(100_000);
  assert.ifError((await supabase.from(table).insert({ title })).error);
  assert.ifError((await supabase.from(table).insert({ title: "after" })).error);
  await until("both arrive", () => events.length >= 2);
  assert.deepEqual(events.map((event) => event.new.title.length), [100_000, 5]);
  await supabase.removeAllChannels();
});

test("SelfDB's own socket takes the anon key and announces each change once", async () => {
  const { supabase } = await newUser();
  const socket = new WebSocket(`ws://localhost:${env.API_PORT}/api/v1/realtime/ws`);
  const messages = [];
  socket.on("message", (text) => messages.push(JSON.parse(text)));
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const next = (type) => until(`a ${type} message`, () => messages.find((message) => message.type === type));
  socket.send(JSON.stringify({ type: "authenticate", token: env.ANON_KEY }));
  await next("connected");
  socket.send(JSON.stringify({ type: "subscribe", subscription_id: "s1", data: { table } }));
  await next("subscribed");
  assert.ifError((await supabase.from(table).insert({ title: "hidden" })).error);
  assert.ifError((await supabase.from(table).insert({ title: "shown", is_public: true })).error);
  assert.ifError((await supabase.from(table).insert({ title: "shown too", is_public: true })).error);
  const changes = () => messages.filter((message) => message.type === "database_change");
  await until("two changes", () => changes().length >= 2);
  assert.deepEqual(changes().map((change) => change.data.data.title), ["shown", "shown too"]);
  assert.equal(changes()[0].data.operation, "INSERT");
  socket.close();
});

test("the service role is not refused by policies", async () => {
  const events = [];
  const supabase = service();
  const { supabase: user } = await newUser();
  const channel = supabase.channel("all")
    .on("postgres_changes", { event: "INSERT", schema: "public", table }, (event) => events.push(event));
  await subscribed(channel);
  assert.ifError((await user.from(table).insert({ title: "private" })).error);
  await until("it arrives", () => events.length === 1);
  await supabase.removeAllChannels();
});
