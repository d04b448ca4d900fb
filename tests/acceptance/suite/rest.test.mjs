import assert from "node:assert/strict";
import { before, test } from "node:test";
import { client, newUser, service, sql } from "../lib/instance.mjs";
import { createTodos } from "../lib/todos.mjs";

const table = `todos_rest_${process.pid}`;
before(() => createTodos(table));

test("each user sees their own rows, anon the public ones", async () => {
  const [ada, bob] = [await newUser(), await newUser()];
  for (const [who, title] of [[ada, "ada private"], [bob, "bob private"]]) {
    const { data, error } = await who.supabase.from(table).insert({ title }).select().single();
    assert.ifError(error);
    assert.equal(data.user_id, who.user.id);
  }
  const shared = await ada.supabase.from(table).insert({ title: "ada public", is_public: true });
  assert.ifError(shared.error);
  assert.equal(shared.status, 201);

  const titles = async (supabase) =>
    (await supabase.from(table).select("title").order("title")).data.map((row) => row.title);
  assert.deepEqual(await titles(ada.supabase), ["ada private", "ada public"]);
  assert.deepEqual(await titles(bob.supabase), ["ada public", "bob private"]);
  assert.deepEqual(await titles(client()), ["ada public"]);
  assert.equal((await titles(service())).length, 3);

  const stolen = await bob.supabase.from(table).update({ title: "mine" }).eq("title", "ada public").select();
  assert.deepEqual(stolen.data, []);
  const forged = await bob.supabase.from(table).insert({ title: "x", user_id: ada.user.id });
  assert.equal(forged.error.code, "42501");
  assert.equal(forged.status, 403);
  const anonymous = await client().from(table).insert({ title: "x" });
  assert.equal(anonymous.status, 401);
});

test("filters, order, ranges, counts, upsert, update and delete", async () => {
  const { supabase, user } = await newUser();
  const rows = Array.from({ length: 10 }, (_, i) => ({ title: `item ${i}`, is_public: false }));
  assert.ifError((await supabase.from(table).insert(rows)).error);

  const page = await supabase.from(table).select("title", { count: "exact" })
    .like("title", "item %").order("title", { ascending: false }).range(2, 4);
  assert.deepEqual(page.data.map((row) => row.title), ["item 7", "item 6", "item 5"]);
  assert.equal(page.count, 10);

  const either = await supabase.from(table).select("title").or("title.eq.item 1,title.eq.item 3").order("id");
  assert.deepEqual(either.data.map((row) => row.title), ["item 1", "item 3"]);
  const listed = await supabase.from(table).select("title").in("title", ["item 2", "item 4"]).order("id");
  assert.equal(listed.data.length, 2);
  const negated = await supabase.from(table).select("title")
    .eq("user_id", user.id).not("title", "in", '("item 0","item 1")');
  assert.equal(negated.data.length, 8);

  const [{ id }] = (await supabase.from(table).select("id").eq("title", "item 0")).data;
  const upserted = await supabase.from(table).upsert({ id, title: "changed" }).select("id,title,user_id").single();
  assert.deepEqual(upserted.data, { id, title: "changed", user_id: user.id });

  const updated = await supabase.from(table).update({ is_public: true }).eq("id", id).select("is_public").single();
  assert.equal(updated.data.is_public, true);
  const deleted = await supabase.from(table).delete({ count: "exact" }).like("title", "item %");
  assert.equal(deleted.count, 9);
  const missing = await supabase.from(table).select().eq("id", -1).single();
  assert.equal(missing.error.code, "PGRST116");
  assert.equal(missing.status, 406);
});

test("embedding follows foreign keys, rpc calls functions", async () => {
  const [parent, child, fn] = [`albums_${process.pid}`, `tracks_${process.pid}`, `add_${process.pid}`];
  await sql(`
    create table public.${parent} (id int primary key, name text);
    create table public.${child} (id int primary key, title text, album_id int references public.${parent} (id));
    select selfdb.set_table_public('public.${parent}', true), selfdb.set_table_public('public.${child}', true);
    insert into public.${parent} values (1, 'one'), (2, 'two');
    insert into public.${child} values (1, 'a', 1), (2, 'b', 1), (3, 'c', 2);
    create function public.${fn}(a int, b int) returns int language sql immutable as 'select a + b';
  `);
  const supabase = client();
  let embedded;
  for (let attempt = 0; attempt < 100; attempt += 1) {
    embedded = await supabase.from(parent).select(`name, ${child}(title)`).order("id");
    if (!embedded.error) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.ifError(embedded.error);
  assert.deepEqual(embedded.data, [
    { name: "one", [child]: [{ title: "a" }, { title: "b" }] },
    { name: "two", [child]: [{ title: "c" }] },
  ]);
  const { data, error } = await supabase.rpc(fn, { a: 2, b: 3 });
  assert.ifError(error);
  assert.equal(data, 5);
});

test("a mistake is told as PostgREST tells it", async () => {
  const unknown = await client().from("no_such_table").select();
  assert.equal(unknown.status, 404);
  assert.equal(unknown.error.code, "PGRST205");
  const column = await client().from(table).select("no_such_column");
  assert.equal(column.status, 400);
  assert.equal(column.error.code, "42703");
});
