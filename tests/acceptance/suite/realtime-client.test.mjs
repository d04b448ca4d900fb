// What the unmodified client does around its channels: tokens, heartbeats, reconnecting, sending before it has joined.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { client, env, newUser, sql, until } from "../lib/instance.mjs";
import { subscribed } from "../lib/subscribed.mjs";
import { createTodos } from "../lib/todos.mjs";

const id = process.pid;
const table = `todos_client_${id}`;
const room = `client-${id}`;

before(async () => {
  await createTodos(table);
  await sql(`
    alter table public.${table} replica identity full;
    create policy "hear ${room}" on realtime.messages for select to authenticated using (realtime.topic() like '${room}%');
    create function public.${table}_changed() returns trigger language plpgsql security definer as $$
    begin
      perform realtime.broadcast_changes('${room}-changes', tg_op, tg_op, tg_table_name, tg_table_schema, new, old);
      return null;
    end $$;
    create trigger changed after insert or update or delete on public.${table}
      for each row execute function public.${table}_changed();
  `);
});

test("updates and deletes tell the old row; a channel that waits for changes has them", async () => {
  const { supabase, session } = await newUser();
  await supabase.realtime.setAuth(session.access_token);
  const events = [];
  const config = { postgres_changes_options: { wait: true, timeout: 5000 } };
  const channel = supabase.channel(`${room}-rows`, { config })
    .on("postgres_changes", { event: "UPDATE", schema: "public", table }, (event) => events.push(event))
    .on("postgres_changes", { event: "DELETE", schema: "public", table }, (event) => events.push(event));
  await subscribed(channel);
  const { data: [row], error } = await supabase.from(table).insert({ title: "a" }).select();
  assert.ifError(error);
  assert.ifError((await supabase.from(table).update({ title: "b" }).eq("id", row.id)).error);
  assert.ifError((await supabase.from(table).delete().eq("id", row.id)).error);
  await until("both", () => events.length === 2);
  assert.deepEqual(events.map(({ eventType, old, new: now }) => [eventType, old.title, now.title]),
    [["UPDATE", "a", "b"], ["DELETE", "b", undefined]]);
  await supabase.removeAllChannels();
});

test("a trigger broadcasts changes of rows to a private channel", async () => {
  const { supabase, session } = await newUser();
  await supabase.realtime.setAuth(session.access_token);
  const told = [];
  const channel = supabase.channel(`${room}-changes`, { config: { private: true, broadcast: { replication_ready: true } } })
    .on("broadcast", { event: "*" }, ({ event, payload }) => told.push([event, payload]));
  const ready = new Promise((resolve) => channel.on("system", {}, ({ status }) => status === "ok" && resolve()));
  await subscribed(channel);
  await ready;
  const { data: [row], error } = await supabase.from(table).insert({ title: "a" }).select();
  assert.ifError(error);
  assert.ifError((await supabase.from(table).update({ title: "b" }).eq("id", row.id)).error);
  await until("both", () => told.filter(([, payload]) => payload.record.id === row.id).length === 2);
  const [[inserted, first], [updated, second]] = told.filter(([, payload]) => payload.record.id === row.id);
  assert.deepEqual([inserted, updated], ["INSERT", "UPDATE"]);
  assert.deepEqual([first.operation, first.schema, first.table, first.record.title, first.old_record],
    ["INSERT", "public", table, "a", null]);
  assert.deepEqual([second.record.title, second.old_record.title], ["b", "a"]);
  await supabase.removeAllChannels();
});

test("heartbeats are answered, and an empty client lets go of its socket", async () => {
  const beats = [];
  const supabase = client(env.ANON_KEY, {
    realtime: {
      heartbeatIntervalMs: 200,
      heartbeatCallback: (status) => beats.push(status),
      disconnectOnEmptyChannelsAfterMs: 300,
    },
  });
  const channel = await subscribed(supabase.channel(`${room}-beats`));
  await until("two answers", () => beats.filter((status) => status === "ok").length >= 2);
  assert.ok(!beats.includes("timeout") && !beats.includes("error"), String(beats));
  assert.equal(await supabase.removeChannel(channel), "ok");
  assert.equal(supabase.getChannels().length, 0);
  await until("it has disconnected", () => supabase.realtime.connectionState() === "closed");
  await subscribed(supabase.channel(`${room}-beats`));
  assert.ok(supabase.realtime.isConnected());
  await supabase.removeAllChannels();
});

test("a lost connection comes back by itself, with its channels", async () => {
  const supabase = client(env.ANON_KEY, { realtime: { reconnectAfterMs: () => 50 } });
  const heard = [];
  const channel = supabase.channel(`${room}-lost`).on("broadcast", { event: "said" }, ({ payload }) => heard.push(payload.n));
  let joined = 0;
  channel.subscribe((status) => { if (status === "SUBSCRIBED") joined += 1; });
  await until("it has joined", () => joined === 1);
  supabase.realtime.socketAdapter?.getSocket?.().conn.close() ?? supabase.realtime.conn?.close();
  await until("it has joined again", () => joined >= 2 && channel.state === "joined");
  const other = await subscribed(client().channel(`${room}-lost`));
  await other.send({ type: "broadcast", event: "said", payload: { n: 1 } });
  await until("it hears", () => heard.length === 1);
  await Promise.all([supabase.removeAllChannels(), other.unsubscribe()]);
});

test("bytes are sent to others, and who has not joined sends over HTTP", async () => {
  const heard = [];
  const listener = client();
  await subscribed(listener.channel(`${room}-bytes`).on("broadcast", { event: "*" }, ({ event, payload }) => heard.push([event, payload])));
  const supabase = client();
  const channel = supabase.channel(`${room}-bytes`);
  assert.equal(await channel.send({ type: "broadcast", event: "early", payload: { n: 1 } }), "ok");
  assert.deepEqual(await channel.httpSend("posted", new Uint8Array([1, 2])), { success: true });
  await subscribed(channel);
  await channel.send({ type: "broadcast", event: "bytes", payload: new Uint8Array([0, 255]).buffer });
  await until("all three", () => heard.length === 3);
  const bytes = (payload) => [...new Uint8Array(payload)];
  assert.deepEqual(heard.map(([event]) => event), ["early", "posted", "bytes"]);
  assert.deepEqual(heard[0][1], { n: 1 });
  assert.deepEqual([bytes(heard[1][1]), bytes(heard[2][1])], [[1, 2], [0, 255]]);
  await Promise.all([supabase.removeAllChannels(), listener.removeAllChannels()]);
});

test("presence tells of joins and leaves, and who has untracked is gone", async () => {
  const [ada, bob] = [client(), client()];
  const events = [];
  const his = bob.channel(`${room}-here`)
    .on("presence", { event: "join" }, ({ key, newPresences }) => events.push(["join", key, newPresences[0].mood]))
    .on("presence", { event: "leave" }, ({ key, leftPresences }) => events.push(["leave", key, leftPresences[0].mood]));
  const hers = ada.channel(`${room}-here`, { config: { presence: { key: "ada", enabled: true } } });
  await Promise.all([subscribed(his), subscribed(hers)]);
  assert.equal(await hers.track({ mood: "ok" }), "ok");
  await until("she is there", () => events.length === 1);
  assert.equal(await hers.untrack(), "ok");
  await until("she is gone", () => events.length === 2);
  assert.deepEqual(events, [["join", "ada", "ok"], ["leave", "ada", "ok"]]);
  assert.deepEqual(his.presenceState(), {});
  await Promise.all([ada.removeAllChannels(), bob.removeAllChannels()]);
});

test("the token comes from a callback, and a newer one from the same place", async () => {
  const { session, supabase: writer } = await newUser();
  let asked = 0;
  const accessToken = async () => {
    asked += 1;
    return session.access_token;
  };
  const supabase = client(env.ANON_KEY, { client: { accessToken } });
  await supabase.realtime.setAuth();
  const titles = [];
  await subscribed(supabase.channel(`${room}-callback`)
    .on("postgres_changes", { event: "INSERT", schema: "public", table }, ({ new: row }) => titles.push(row.title)));
  assert.ifError((await writer.from(table).insert({ title: "one" })).error);
  await until("it is heard", () => titles.length === 1);
  const before = asked;
  await supabase.realtime.setAuth();
  assert.ok(asked > before);
  assert.ifError((await writer.from(table).insert({ title: "two" })).error);
  await until("both are heard", () => titles.length === 2);
  await supabase.removeAllChannels();
});
