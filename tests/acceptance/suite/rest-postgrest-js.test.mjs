// Everything postgrest-js can ask for, unmodified, through supabase-js.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { client, service, sql, until, untilExposed } from "../lib/instance.mjs";

const n = process.pid;
const [people, films, directors, actors, roles] =
  ["people", "films", "directors", "actors", "roles"].map((name) => `pjs_${name}_${n}`);
const fn = (name) => `pjs_${name}_${n}`;
let db;

before(async () => {
  await sql(`
    create table public.${directors} (id int primary key, name text);
    create table public.${films} (id int primary key, title text, year int,
      director_id int references public.${directors} (id));
    create table public.${actors} (id int primary key, name text);
    create table public.${roles} (film_id int references public.${films} (id),
      actor_id int references public.${actors} (id), character text, primary key (film_id, actor_id));
    insert into public.${directors} values (1, 'Ada'), (2, 'Bo');
    insert into public.${films} values (1, 'Northern', 1999, 1), (2, 'Southern', 2004, 1), (3, 'Eastern', 2010, null);
    insert into public.${actors} values (1, 'Dag'), (2, 'Eva');
    insert into public.${roles} values (1, 1, 'Hunter'), (1, 2, 'Widow'), (2, 2, 'Judge');
    create table public.${people} (id int primary key, name text, age int, active boolean,
      tags text[], during int4range, meta jsonb, body tsvector, note text);
    insert into public.${people} values
      (1, 'Ada', 30, true, '{a,b}', '[1,5)', '{"x": {"y": 1}, "z": "q"}', to_tsvector('english', 'the fat cats'), null),
      (2, 'Bob', 20, false, '{b}', '[5,9)', '{"x": {"y": 2}}', to_tsvector('english', 'a thin rat'), 'n'),
      (3, 'Cy', null, null, '{}', '[20,30)', null, null, null);
    create function public.${fn("add")}(a int, b int) returns int language sql immutable as 'select a + b';
    create function public.${fn("films")}() returns setof public.${films} language sql stable
      as 'select * from public.${films} order by id';
    create function public.${fn("raise")}(code text) returns int language plpgsql as
      $$ begin raise exception using errcode = code, message = 'm', detail = 'd', hint = 'h'; end $$;
    create function public.${fn("nothing")}() returns void language sql as '';
    create schema pjs_other_${n};
  `);
  db = service();
  await until("the tables and functions are exposed", async () =>
    !(await db.from(roles).select("*").limit(0)).error && !(await db.from(people).select("*").limit(0)).error
      && !(await db.rpc(fn("nothing"))).error);
});

const ids = async (query) => {
  const { data, error } = await query;
  assert.ifError(error);
  return data.map((row) => row.id).sort();
};

test("filters", async () => {
  const from = () => db.from(people).select("id");
  const cases = [
    [from().eq("age", 30), [1]], [from().neq("age", 30), [2]],
    [from().gt("age", 20), [1]], [from().gte("age", 20), [1, 2]],
    [from().lt("age", 30), [2]], [from().lte("age", 30), [1, 2]],
    [from().like("name", "A%"), [1]], [from().ilike("name", "%B%"), [2]],
    [from().likeAllOf("name", ["A%", "%a"]), [1]], [from().likeAnyOf("name", ["A%", "B%"]), [1, 2]],
    [from().ilikeAllOf("name", ["a%", "%A"]), [1]], [from().ilikeAnyOf("name", ["a%", "b%"]), [1, 2]],
    [from().is("active", null), [3]], [from().is("active", true), [1]],
    [from().in("name", ["Ada", "Cy", 'with "quotes", and commas']), [1, 3]],
    [from().contains("tags", ["a"]), [1]], [from().contains("meta", { z: "q" }), [1]],
    [from().contains("during", "[1,2)"), [1]],
    [from().containedBy("tags", ["a", "b", "c"]), [1, 2, 3]], [from().containedBy("during", "[0,10)"), [1, 2]],
    [from().rangeGt("during", "[5,9)"), [3]], [from().rangeGte("during", "[5,9)"), [2, 3]],
    [from().rangeLt("during", "[5,9)"), [1]], [from().rangeLte("during", "[5,9)"), [1, 2]],
    [from().rangeAdjacent("during", "[9,20)"), [2, 3]],
    [from().overlaps("tags", ["a", "z"]), [1]], [from().overlaps("during", "[4,6)"), [1, 2]],
    [from().textSearch("body", "fat & cat", { config: "english" }), [1]],
    [from().textSearch("body", "fat cats", { type: "plain", config: "english" }), [1]],
    [from().textSearch("body", "thin rat", { type: "phrase", config: "english" }), [2]],
    [from().textSearch("body", "cats or rat", { type: "websearch", config: "english" }), [1, 2]],
    [from().match({ name: "Ada", age: 30 }), [1]],
    [from().not("age", "is", null), [1, 2]], [from().not("name", "in", "(Ada,Bob)"), [3]],
    [from().or("age.eq.30,name.eq.Cy"), [1, 3]], [from().or("id.eq.3,and(age.gt.10,active.is.false)"), [2, 3]],
    [from().filter("name", "in", '("Ada","Bob")'), [1, 2]],
    [from().eq("meta->x->y", 1), [1]], [from().eq("meta->>z", "q"), [1]],
  ];
  for (const [index, [query, expected]] of cases.entries()) {
    assert.deepEqual(await ids(query), expected, `case ${index}`);
  }
  if (typeof from().isDistinct === "function") assert.deepEqual(await ids(from().isDistinct("age", 30)), [2, 3]);
  if (typeof from().regexMatch === "function") assert.deepEqual(await ids(from().regexMatch("name", "^A")), [1]);
});

test("order, limit, range, single, maybeSingle", async () => {
  const titles = async (query) => (await query).data.map((row) => row.title);
  const from = () => db.from(films).select("title");
  assert.deepEqual(await titles(from().order("year", { ascending: false })), ["Eastern", "Southern", "Northern"]);
  assert.deepEqual(await titles(from().order("director_id", { nullsFirst: true }).order("id").limit(2)), ["Eastern", "Northern"]);
  assert.deepEqual(await titles(from().order("id").range(1, 1)), ["Southern"]);
  assert.deepEqual((await from().eq("id", 1).single()).data, { title: "Northern" });
  const many = await from().single();
  assert.equal(many.status, 406);
  assert.equal(many.error.code, "PGRST116");
  assert.equal((await from().eq("id", 9).maybeSingle()).data, null);
  assert.deepEqual((await from().eq("id", 1).maybeSingle()).data, { title: "Northern" });
  assert.ok((await from().maybeSingle()).error);
});

test("embedding, its transforms, and spread", async () => {
  const shown = await db.from(films).select(`title, director:${directors}(name), ${actors}(name)`)
    .order("id").order("name", { referencedTable: actors, ascending: false });
  assert.deepEqual(shown.data, [
    { title: "Northern", director: { name: "Ada" }, [actors]: [{ name: "Eva" }, { name: "Dag" }] },
    { title: "Southern", director: { name: "Ada" }, [actors]: [{ name: "Eva" }] },
    { title: "Eastern", director: null, [actors]: [] },
  ]);
  const limited = await db.from(directors).select(`name, ${films}(title)`).order("id")
    .order("id", { referencedTable: films }).limit(1, { referencedTable: films });
  assert.deepEqual(limited.data[0], { name: "Ada", [films]: [{ title: "Northern" }] });
  const ranged = await db.from(directors).select(`name, ${films}(title)`).eq("id", 1)
    .order("id", { referencedTable: films }).range(1, 1, { referencedTable: films });
  assert.deepEqual(ranged.data, [{ name: "Ada", [films]: [{ title: "Southern" }] }]);
  assert.deepEqual(await ids(db.from(films).select(`id, ${actors}!inner(name)`).eq(`${actors}.name`, "Eva")), [1, 2]);
  const either = db.from(films).select(`id, ${actors}(name)`)
    .or("name.eq.Dag,name.eq.None", { referencedTable: actors }).eq("id", 1);
  assert.deepEqual((await either).data, [{ id: 1, [actors]: [{ name: "Dag" }] }]);
  const spread = await db.from(films).select(`title, ...${directors}(director:name)`).eq("id", 1);
  assert.deepEqual(spread.data, [{ title: "Northern", director: "Ada" }]);
  const nested = await db.from(directors).select(`name, ${films}(title, ${roles}(character, ${actors}(name)))`)
    .eq("id", 1).eq(`${films}.id`, 2);
  assert.deepEqual(nested.data, [{ name: "Ada", [films]: [
    { title: "Southern", [roles]: [{ character: "Judge", [actors]: { name: "Eva" } }] }] }]);
});

test("csv, nulls stripped, abortSignal, throwOnError, types, headers", async () => {
  const csv = await db.from(films).select("id,title").order("id").csv();
  assert.equal(csv.data, "id,title\n1,Northern\n2,Southern\n3,Eastern");
  if (typeof db.from(people).select().stripNulls === "function") {
    const stripped = await db.from(people).select("id,note").order("id").stripNulls();
    assert.deepEqual(stripped.data, [{ id: 1 }, { id: 2, note: "n" }, { id: 3 }]);
  }
  const aborted = new AbortController();
  aborted.abort();
  const stopped = await db.from(films).select().abortSignal(aborted.signal);
  assert.match(stopped.error.message, /abort/i);
  await assert.rejects(async () => await db.from(`no_such_${n}`).select().throwOnError(), { code: "PGRST205" });
  assert.equal((await db.from(films).select("id").returns()).data.length, 3);
  assert.equal((await db.from(films).select("id").overrideTypes()).data.length, 3);
  const zone = await db.from(films).select("id").limit(1).setHeader("Prefer", "timezone=UTC");
  assert.ifError(zone.error);
});

test("geojson", async (t) => {
  const { rows } = await sql("select from pg_available_extensions where name = 'postgis'");
  if (rows.length === 0) return t.skip("no PostGIS on this machine");
  const places = `pjs_places_${n}`;
  await sql(`
    create extension if not exists postgis schema extensions;
    create table public.${places} (id int primary key, name text, at extensions.geometry(point, 4326));
    insert into public.${places} values (1, 'one', extensions.st_setsrid(extensions.st_makepoint(1, 2), 4326));
  `);
  await untilExposed(places);
  const { data, error } = await db.from(places).select("name,at").geojson();
  assert.ifError(error);
  assert.equal(data.type, "FeatureCollection");
  assert.deepEqual(data.features[0].geometry.coordinates, [1, 2]);
  assert.deepEqual(data.features[0].properties, { name: "one" });
});

test("explain", async () => {
  const plan = await db.from(films).select().explain();
  assert.ifError(plan.error);
  assert.match(plan.data, /Scan/);
  const json = await db.from(films).select().explain({ analyze: true, verbose: true, buffers: true, settings: true, format: "json" });
  assert.ifError(json.error);
  assert.ok(Number.isFinite(json.data[0].Plan["Actual Rows"]), JSON.stringify(json.data));
});

test("insert, upsert, update, delete and their options", async () => {
  const table = () => db.from(people);
  const inserted = await table().insert([{ id: 10, name: "x" }, { id: 11, name: "y", age: 1 }], { count: "exact", defaultToNull: false })
    .select("id,age");
  assert.ifError(inserted.error);
  assert.equal(inserted.status, 201);
  assert.equal(inserted.count, 2);
  assert.deepEqual(inserted.data, [{ id: 10, age: null }, { id: 11, age: 1 }]);
  const silent = await table().insert({ id: 12 });
  assert.deepEqual([silent.status, silent.data], [201, null]);
  const merged = await table().upsert([{ id: 12, name: "merged" }, { id: 13, name: "new" }], { onConflict: "id", count: "exact" }).select("id,name");
  assert.deepEqual([merged.status, merged.count], [201, 2]);
  const ignored = await table().upsert([{ id: 12, name: "ignored" }, { id: 14, name: "new" }], { ignoreDuplicates: true }).select("id");
  assert.deepEqual(ignored.data, [{ id: 14 }]);
  const undone = await table().delete().gte("id", 10).rollback().select("id");
  assert.equal(undone.data.length, 5);
  assert.equal((await table().select("id").gte("id", 10)).data.length, 5);
  const updated = await table().update({ note: "u" }, { count: "exact" }).gte("id", 13).select("id").order("id");
  assert.deepEqual([updated.count, updated.data], [2, [{ id: 13 }, { id: 14 }]]);
  const over = await table().update({ note: "v" }).gte("id", 10).maxAffected(2);
  assert.equal(over.error.code, "PGRST124");
  const within = await table().delete().eq("id", 14).maxAffected(2);
  assert.ifError(within.error);
  const deleted = await table().delete({ count: "exact" }).gte("id", 10);
  assert.deepEqual([deleted.status, deleted.count], [204, 4]);
  const doubled = await table().insert({ id: 1 });
  assert.deepEqual([doubled.status, doubled.error.code], [409, "23505"]);
});

test("odd ways to ask, and mistakes", async () => {
  const table = () => db.from(films);
  const beyond = await table().select("id", { count: "exact" }).range(50, 60);
  assert.deepEqual([beyond.status, beyond.error.code], [416, "PGRST103"]);
  assert.equal(beyond.error.details, "An offset of 50 was requested, but there are only 3 rows.");
  assert.deepEqual((await table().select("id").range(50, 60)).data, []);
  assert.deepEqual((await table().select("id").limit(0)).data, []);
  assert.deepEqual((await table().select("id").in("id", [])).data, []);
  assert.deepEqual((await table().insert([]).select()).data, []);
  const byParent = table().select(`id, ${directors}!inner(name)`).order(`${directors}(name)`, { ascending: false }).order("id");
  assert.deepEqual((await byParent).data.map((row) => row.id), [1, 2]);
  const json = await db.from(people).select("name, y:meta->x->y, age::text").eq("id", 1).single();
  assert.deepEqual(json.data, { name: "Ada", y: 1, age: "30" });
  const kept = await db.from(people).insert([{ id: 30 }, { id: 31 }]).select().single();
  assert.equal(kept.error.code, "PGRST116");
  assert.deepEqual((await db.from(people).select("id").gte("id", 30)).data, [], "one object was asked for, so nothing was kept");
  const replaced = await db.from(directors).upsert({ id: 2, name: "Bo" }, { onConflict: "id" }).select().single();
  assert.deepEqual([replaced.status, replaced.data], [200, { id: 2, name: "Bo" }]);
  for (const [query, status, code] of [
    [db.from(directors).upsert({ id: 2 }, { onConflict: "name" }), 400, "42P10"],
    [db.from(directors).upsert({ id: 2 }, { onConflict: "nothing" }), 400, "42703"],
    [table().insert({ id: 9, director_id: 99 }), 409, "23503"],
    [table().insert({ nothing: 1 }), 400, "PGRST204"],
    [table().select("nothing"), 400, "42703"],
    [table().select("id, nothing(id)"), 400, "PGRST200"],
    [table().select("id").filter("id", "foo", "1"), 400, "PGRST100"],
    [table().select("id").is("id", "foo"), 400, "PGRST100"],
    [table().select("count()"), 400, "PGRST123"],
    [db.from(`${films}x`).select(), 404, "PGRST205"],
    [db.rpc(fn("add"), { a: 1, z: 2 }), 404, "PGRST202"],
    ...[["P0001", 400], ["PT402", 402], ["42501", 403], ["23505", 409], ["25006", 405], ["22023", 400]]
      .map(([code, status]) => [db.rpc(fn("raise"), { code }), status, code]),
  ]) {
    const answer = await query;
    assert.deepEqual([answer.status, answer.error?.code], [status, code], JSON.stringify(answer.error));
    assert.deepEqual(Object.keys(answer.error).filter((key) => ["code", "details", "hint", "message"].includes(key)).length, 4);
  }
  const unknown = (await table().select("id").filter("id", "foo", "1")).error;
  assert.equal(unknown.details, 'unexpected "f" expecting "not" or operator (eq, gt, ...)');
  assert.equal(unknown.message, '"failed to parse filter (foo.1)" (line 1, column 1)');
  const hint = (await db.from(`${films}x`).select()).error.hint;
  assert.equal(hint, `Perhaps you meant the table 'public.${films}'`);
});

test("counts and HEAD", async () => {
  for (const count of ["exact", "planned", "estimated"]) {
    const head = await db.from(films).select("*", { count, head: true });
    assert.ifError(head.error);
    assert.equal(head.data, null);
    assert.ok(count === "exact" ? head.count === 3 : head.count >= 0, `${count}: ${head.count}`);
  }
  const page = await db.from(films).select("id", { count: "exact" }).order("id").range(0, 0);
  assert.deepEqual([page.status, page.count, page.data], [206, 3, [{ id: 1 }]]);
});

test("rpc by POST, GET and HEAD, filtered and counted", async () => {
  assert.equal((await db.rpc(fn("add"), { a: 1, b: 2 })).data, 3);
  assert.equal((await db.rpc(fn("add"), { a: 1, b: 2 }, { get: true })).data, 3);
  const nothing = await db.rpc(fn("nothing"));
  assert.deepEqual([nothing.status, nothing.data], [204, null]);
  const some = await db.rpc(fn("films"), {}, { count: "exact" }).select(`title, ${directors}(name)`).gt("year", 2000).order("id").limit(1);
  assert.deepEqual([some.count, some.data], [2, [{ title: "Southern", [directors]: { name: "Ada" } }]]);
  const head = await db.rpc(fn("films"), {}, { head: true, count: "exact" });
  assert.deepEqual([head.count, head.data], [3, null]);
  const none = await db.rpc(`no_such_${n}`);
  assert.deepEqual([none.status, none.error.code], [404, "PGRST202"]);
});

test("schemas", async () => {
  const hidden = await db.schema(`pjs_other_${n}`).from("anything").select();
  assert.deepEqual([hidden.status, hidden.error.code], [406, "PGRST106"]);
  assert.equal((await db.schema("public").from(films).select("id")).data.length, 3);
  assert.equal((await client().from(films).select("id")).data?.length ?? 0, 0);
});
