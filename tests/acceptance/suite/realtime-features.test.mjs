// Every feature of realtime through the unmodified client.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { client, env, newUser, service, sql, until, withDatabase } from "../lib/instance.mjs";
import { subscribed } from "../lib/subscribed.mjs";
import { createTodos } from "../lib/todos.mjs";

const id = process.pid;
const table = `todos_features_${id}`;
const room = `features-${id}`;

before(async () => {
  await createTodos(table);
  await sql(`
    create policy "hear ${room}" on realtime.messages for select to authenticated
      using (realtime.topic() like '${room}%' and extension in ('broadcast', 'presence'));
    create policy "send ${room}" on realtime.messages for insert to authenticated
      with check (realtime.topic() like '${room}%' and realtime.topic() <> '${room}-quiet');
  `);
});

async function signedIn() {
  const user = await newUser();
  await user.supabase.realtime.setAuth(user.session.access_token);
  return user;
}

test("1,000 writes right after SUBSCRIBED arrive 1,000 times", async () => {
  const { supabase, user } = await signedIn();
  const seen = [];
  const channel = supabase.channel(`thousand-${id}`)
    .on("postgres_changes", { event: "INSERT", schema: "public", table }, ({ new: row }) => seen.push(row.title));
  await subscribed(channel);
  await withDatabase(async (database) => {
    for (let n = 0; n < 1000; n += 1) {
      await database.query(`insert into public.${table} (user_id, title) values ($1, $2)`, [user.id, `n${n}`]);
    }
  });
  await until("1,000 events", () => seen.length >= 1000, 20);
  assert.deepEqual(seen, Array.from({ length: 1000 }, (_, n) => `n${n}`));
  await supabase.removeAllChannels();
});

test("filters, columns and several listeners on one channel", async () => {
  const { supabase } = await signedIn();
  const heard = { eq: [], match: [], like: [], ids: [] };
  const on = (name, filter) => [
    "postgres_changes",
    { event: "INSERT", schema: "public", table, ...filter },
    ({ new: row }) => heard[name].push(row),
  ];
  const channel = supabase.channel(`filters-${id}`)
    .on(...on("eq", { filter: "title=eq.milk" }))
    .on(...on("match", { filter: "title=match.^m" }))
    .on(...on("like", { filter: "title=not.like.m%" }))
    .on(...on("ids", { select: ["id"] }));
  await subscribed(channel);
  for (const title of ["milk", "mead", "tea"]) assert.ifError((await supabase.from(table).insert({ title })).error);
  await until("all are heard", () => heard.ids.length === 3);
  assert.deepEqual(heard.eq.map((row) => row.title), ["milk"]);
  assert.deepEqual(heard.match.map((row) => row.title), ["milk", "mead"]);
  assert.deepEqual(heard.like.map((row) => row.title), ["tea"]);
  assert.deepEqual(heard.ids.map((row) => Object.keys(row)), [["id"], ["id"], ["id"]]);
  await supabase.removeAllChannels();
});

test("a filter that cannot be used is an error with words", async () => {
  const { supabase } = await signedIn();
  const told = async (name, changes) => {
    const system = [];
    await subscribed(supabase.channel(`${name}-${id}`)
      .on("postgres_changes", { event: "*", schema: "public", ...changes }, () => {})
      .on("system", {}, (message) => system.push(message)));
    await until("it is told", () => system.length === 1);
    assert.equal(system[0].status, "error");
    return system[0].message;
  };
  assert.match(await told("column", { table, filter: "missing=eq.1" }), /invalid column for filter missing/);
  assert.match(await told("operator", { table, filter: "title=foo.1" }), /Error parsing `filter` params: \["foo", "1"\]/);
  assert.match(await told("table", { table: "no_such_table" }), /Please check Realtime is enabled/);
  await supabase.removeAllChannels();
});

test("private broadcast: policies, replay, bytes from SQL and over HTTP", async () => {
  const { supabase } = await signedIn();
  const topic = `${room}-replay`;
  await sql("select realtime.send(jsonb_build_object('n', n), 'told', $1) from generate_series(1, 3) n", [topic]);
  const heard = [];
  const config = { private: true, broadcast: { ack: true, self: true, replay: { since: 0, limit: 5 } } };
  const channel = supabase.channel(topic, { config })
    .on("broadcast", { event: "*" }, (message) => heard.push(message));
  await subscribed(channel);
  await until("3 are replayed", () => heard.length === 3);
  assert.ok(heard.every(({ meta }) => meta.replayed === true && meta.id));
  assert.deepEqual(heard.map(({ payload }) => payload.n).sort(), [1, 2, 3]);

  await sql("select realtime.send_binary('\\x00ff', 'bytes', $1)", [topic]);
  await until("bytes arrive", () => heard.length === 4);
  assert.deepEqual([...new Uint8Array(heard[3].payload)], [0, 255]);
  assert.equal(await channel.send({ type: "broadcast", event: "said", payload: { n: 5 } }), "ok");
  assert.deepEqual(await channel.httpSend("posted", { n: 6 }), { success: true });
  await until("both arrive", () => heard.length === 6);
  assert.deepEqual(heard.slice(4).map(({ event, payload }) => [event, payload.n]), [["said", 5], ["posted", 6]]);

  const quiet = supabase.channel(`${room}-quiet`, { config: { private: true, broadcast: { ack: true } } });
  await subscribed(quiet);
  assert.notEqual(await quiet.send({ type: "broadcast", event: "said", payload: {} }), "ok");
  const closed = client(env.ANON_KEY).channel(`${room}-closed`, { config: { private: true } });
  await assert.rejects(subscribed(closed), /permissions to read/);
  await closed.unsubscribe();
  await supabase.removeAllChannels();
});

test("a client's messages are kept where it asks and may", async () => {
  const topic = `${room}-kept`;
  await sql(`
    create policy "keep ${topic}" on realtime.messages for insert to authenticated
      with check (extension = 'persistence' and realtime.topic() = '${topic}')`);
  const { supabase } = await signedIn();
  const join = (broadcast) => subscribed(supabase.channel(topic, { config: { private: true, broadcast } }));
  const channel = await join({ ack: true });
  const say = (n, persist) => channel.send({ type: "broadcast", event: "said", payload: { n }, persist });
  assert.equal(await say(1, true), "ok");
  assert.equal(await say(2, undefined), "ok");
  assert.equal(await say(3, { ttl: 60 }), "ok");
  assert.equal(await say(4, { ttl: -1 }), "invalid_persist_ttl");
  assert.deepEqual(await channel.httpSend("posted", { n: 5 }, { persist: { ttl: 60 } }), { success: true });
  assert.deepEqual(await channel.httpSend("posted", new Uint8Array([6]), { persist: true }), { success: true });
  await assert.rejects(channel.httpSend("posted", { n: 7 }, { persist: { ttl: 0.5 } }), /persist/);
  await supabase.removeChannel(channel);

  const heard = [];
  const later = supabase.channel(topic, { config: { private: true, broadcast: { replay: { since: 0 } } } })
    .on("broadcast", { event: "*" }, (message) => heard.push(message));
  await subscribed(later);
  await until("four are told", () => heard.length === 4);
  assert.deepEqual(heard.slice(0, 3).map(({ payload }) => payload.n), [1, 3, 5]);
  assert.deepEqual([...new Uint8Array(heard[3].payload)], [6]);
  assert.ok(heard.every(({ meta }) => meta.replayed && meta.id));
  await supabase.removeAllChannels();
});

test("presence: who comes, who changes, who goes", async () => {
  const [ada, bob] = [client(), client()];
  const topic = `${room}-presence`;
  const present = (supabase, key) => supabase.channel(topic, { config: { presence: { key } } })
    .on("presence", { event: "sync" }, () => {});
  const [hers, his] = [present(ada, "ada"), present(bob, "bob")];
  await Promise.all([subscribed(hers), subscribed(his)]);
  assert.equal(await hers.track({ mood: "ok" }), "ok");
  await until("he sees her", () => his.presenceState().ada?.[0].mood === "ok");
  assert.equal(await hers.track({ mood: "fine" }), "ok");
  await until("he sees her change", () => his.presenceState().ada?.[0].mood === "fine" && his.presenceState().ada.length === 1);
  ada.realtime.disconnect();
  await until("he sees her go", () => his.presenceState().ada === undefined);
  await Promise.all([ada.removeAllChannels(), bob.removeAllChannels()]);
});

test("who signs out hears of nothing more", async () => {
  const { supabase, session } = await signedIn();
  const other = client(env.ANON_KEY);
  await other.realtime.setAuth(session.access_token);
  const system = [];
  const titles = [];
  const channel = other.channel(`signs-out-${id}`)
    .on("postgres_changes", { event: "INSERT", schema: "public", table }, ({ new: row }) => titles.push(row.title))
    .on("system", {}, (message) => system.push(message));
  await subscribed(channel);
  assert.ifError((await supabase.from(table).insert({ title: "before" })).error);
  await until("it is heard", () => titles.length === 1);
  assert.ifError((await supabase.auth.signOut()).error);
  await until("the channel ends", () => channel.state === "closed");
  assert.ok(system.some(({ status, message }) => status === "error" && /session/.test(message)));
  await other.removeAllChannels();
});

test("administrators hear of sign-ups, others do not", async () => {
  const heard = [];
  const supabase = service();
  const channel = supabase.channel("_events", { config: { private: true } })
    .on("broadcast", { event: "user.created" }, ({ payload }) => heard.push(payload.user_id));
  await subscribed(channel);
  const { user, supabase: other, session } = await newUser();
  await until("it is told", () => heard.includes(user.id));
  await other.realtime.setAuth(session.access_token);
  await assert.rejects(subscribed(other.channel("_events", { config: { private: true } })), /permissions to read/);
  await Promise.all([supabase.removeAllChannels(), other.removeAllChannels()]);
});
