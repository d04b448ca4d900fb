import assert from "node:assert/strict";
import { before, test } from "node:test";
import { client, env, newUser, service, sql, until, untilExposed, url } from "../lib/instance.mjs";

const guarded = ["/auth/v1/user", "/auth/v1/settings", "/rest/v1/", "/rest/v1/anything", "/realtime/v1/api/broadcast", "/realtime/v1/websocket"];

test("no key and a wrong key are 401", async () => {
  const forged = env.ANON_KEY.slice(0, -4) + "AAAA";
  for (const path of guarded) {
    for (const headers of [{}, { apikey: "nonsense" }, { apikey: forged }, { apikey: "sb_publishable_nonsense" }]) {
      const response = await fetch(url + path, { headers });
      assert.equal(response.status, 401, `${path} with ${JSON.stringify(headers)}`);
    }
  }
});

test("opaque keys act as the roles they stand for", async () => {
  const { error } = await client(env.PUBLISHABLE_KEY).auth.getSession();
  assert.ifError(error);
  const table = `opaque_${process.pid}`;
  await sql(`create table public.${table} (id int primary key); insert into public.${table} values (1)`);
  await untilExposed(table);
  const secret = await client(env.SECRET_KEY).from(table).select();
  assert.deepEqual(secret.data, [{ id: 1 }]);
  const publishable = await client(env.PUBLISHABLE_KEY).from(table).select();
  assert.deepEqual(publishable.data ?? [], [], "a table without policies shows nothing");
});

test("auth.users is not readable by any route", async () => {
  const { supabase } = await newUser();
  for (const who of [client(), supabase]) {
    const { status, error } = await who.schema("auth").from("users").select();
    assert.ok(error);
    assert.ok(status === 406 || status === 404 || status === 401 || status === 403, String(status));
    assert.ok((await who.from("users").select()).error);
    assert.ok((await who.from("auth.users").select()).error);
  }
  for (const path of ["/api/v1/tables/users/data", "/api/v1/tables/auth.users/data"]) {
    const response = await fetch(url + path, { headers: { apikey: env.ANON_KEY } });
    assert.ok(response.status >= 400 && response.status < 500, `${path}: ${response.status}`);
  }
  await sql(`create or replace function public.peek_${process.pid}() returns setof auth.users language sql as 'select * from auth.users'`);
  const peek = await until("the function is exposed", async () => {
    const answer = await client().rpc(`peek_${process.pid}`);
    return answer.error?.code === "PGRST202" ? undefined : answer;
  });
  assert.equal(peek.error.code, "42501");
});

test("under anon, the role cannot be raised through an rpc", async () => {
  const name = `raise_${process.pid}`;
  await sql(`create function public.${name}(wanted text) returns text language sql as
    $$ select set_config('role', wanted, true) $$`);
  const call = (who, wanted) => until("the function is exposed", async () => {
    const answer = await who.rpc(name, { wanted });
    return answer.error?.code === "PGRST202" ? undefined : answer;
  });
  const { supabase } = await newUser();
  for (const who of [client(), supabase]) {
    for (const role of ["service_role", "postgres", "supabase_auth_admin"]) {
      const raised = await call(who, role);
      assert.equal(raised.error?.code, "42501", `${role}: ${JSON.stringify(raised)}`);
    }
  }
  const control = await call(service(), "service_role");
  assert.equal(control.data, "service_role", "the check itself works");
});

test("a table is for everybody where its flag says so, and for nobody where it has no policy", async () => {
  const [open, closed] = [`open_${process.pid}`, `closed_${process.pid}`];
  const admin = (method, path, body) => fetch(`${url}/api/v1/tables${path}`, {
    method,
    headers: { apikey: env.SERVICE_ROLE_KEY, "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const columns = [
    { name: "id", type: "integer", nullable: false, primary_key: true },
    { name: "title", type: "text", nullable: true },
    { name: "user_id", type: "uuid", nullable: true },
  ];
  for (const [name, is_public] of [[open, true], [closed, false]]) {
    const created = await admin("POST", "", { name, description: "", columns, is_public });
    assert.ok(created.ok, `${created.status} ${await created.text()}`);
    await untilExposed(name);
    await service().from(name).insert({ id: 1, title: "first" });
  }
  const anon = client();
  assert.deepEqual((await anon.from(open).select("title")).data, [{ title: "first" }]);
  assert.deepEqual((await anon.from(closed).select("title")).data ?? [], []);
  assert.ifError((await anon.from(open).insert({ id: 2, title: "from anon" })).error);
  assert.ok((await anon.from(closed).insert({ id: 2, title: "from anon" })).error);

  const ada = await newUser();
  assert.ifError((await ada.supabase.from(open).insert({ id: 3, title: "ada's" })).error);
  assert.deepEqual((await anon.from(open).delete().eq("id", 3).select()).data ?? [], []);
  assert.equal((await ada.supabase.from(open).update({ title: "ada's own" }).eq("id", 3).select()).data.length, 1);

  assert.ok((await admin("PUT", `/${open}`, { is_public: false })).ok);
  assert.deepEqual((await anon.from(open).select("title")).data ?? [], []);
});

test("/metrics is not public", async () => {
  assert.ok([401, 403, 404].includes((await fetch(`${url}/metrics`)).status));
  const allowed = await fetch(`${url}/metrics`, { headers: { apikey: env.SERVICE_ROLE_KEY } });
  assert.equal(allowed.status, 200);
  assert.match(await allowed.text(), /# TYPE/);
});

test("the platform's first event is there, and the console says it is well", async () => {
  const { rows } = await sql("select count(*)::int as n from selfdb.events where name = 'SYSTEM_INITIALIZED'");
  assert.equal(rows[0].n, 1);
  const page = await fetch(`http://localhost:${env.FRONTEND_PORT}/`);
  assert.match(page.headers.get("content-security-policy"), /default-src 'none'/);
  const health = await fetch(`http://localhost:${env.FRONTEND_PORT}/health`);
  assert.equal(health.status, 200);
  assert.ok(Object.keys((await health.json()).services).length >= 5, "each part's state is told");
});
