// More of the kind that Supabase's documentation shows: libraries of npm, drivers of Postgres,
// tokens of others, pages made on the server, and what the author of older code is told.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { env, newUser, sql, until, untilExposed, url } from "../lib/instance.mjs";

const api = `${url}/api/v1/functions`;
const functionsUrl = `${url}/functions/v1`;
const admin = { authorization: `Bearer ${env.SERVICE_ROLE_KEY}`, "content-type": "application/json" };
const made = [];

async function offer(name, code, more = {}) {
  made.push(name);
  await fetch(`${api}/${name}`, { method: "DELETE", headers: admin });
  return fetch(api, { method: "POST", headers: admin, body: JSON.stringify({ name, code, ...more }) });
}

async function deploy(...given) {
  const answer = await offer(...given);
  assert.equal(answer.status, 201, await answer.text());
}

const call = (path, options = {}) =>
  fetch(`${functionsUrl}/${path}`, { ...options, headers: { authorization: `Bearer ${env.ANON_KEY}`, ...options.headers } });

const post = (path, body, headers = {}) =>
  call(path, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json", ...headers } });

before(async () => {
  await sql(`drop table if exists public.acc_done; create table public.acc_done (name text primary key, place text);
    alter table public.acc_done enable row level security;`);
  await untilExposed("acc_done");
});
after(() => Promise.all(made.map((name) => fetch(`${api}/${name}`, { method: "DELETE", headers: admin }))));

test("kysely and pg, in transactions that hold or do not", async () => {
  await deploy("acc-kysely", `
    import { Kysely, PostgresDialect } from "npm:kysely@0.27.5";
    import pg from "npm:pg@8.16.3";
    const pool = new pg.Pool({ connectionString: Deno.env.get("SUPABASE_DB_URL"), max: 2 });
    const db = new Kysely<{ acc_done: { name: string; place: string } }>({ dialect: new PostgresDialect({ pool }) });
    Deno.serve(async (req) => {
      const names: string[] = await req.json();
      try {
        await db.transaction().execute(async (each) => {
          for (const name of names) await each.insertInto("acc_done").values({ name, place: "kysely" }).execute();
        });
      } catch (error) {
        return Response.json({ error: (error as { code?: string }).code }, { status: 409 });
      }
      return Response.json(await db.selectFrom("acc_done").select("name").where("place", "=", "kysely").orderBy("name").execute());
    });`);
  assert.deepEqual(await (await post("acc-kysely", ["a", "b"])).json(), [{ name: "a" }, { name: "b" }]);
  const refused = await post("acc-kysely", ["c", "a"]);
  assert.deepEqual([refused.status, await refused.json()], [409, { error: "23505" }]);
  assert.deepEqual(await (await post("acc-kysely", [])).json(), [{ name: "a" }, { name: "b" }]);
});

test("input is validated by a schema, and what is wrong is said by field", async () => {
  await deploy("acc-zod", `
    import { z } from "npm:zod@3.25.76";
    const Order = z.object({ sku: z.string().min(3), count: z.number().int().positive() });
    Deno.serve({ port: 8000, onListen: () => console.log("listening") }, async (req) => {
      const read = Order.safeParse(await req.json().catch(() => null));
      if (!read.success) return Response.json({ errors: read.error.flatten().fieldErrors }, { status: 422 });
      return Response.json({ total: read.data.count * 2 });
    });`);
  assert.deepEqual(await (await post("acc-zod", { sku: "abc", count: 2 })).json(), { total: 4 });
  const wrong = await post("acc-zod", { sku: "a", count: 1.5 });
  assert.equal(wrong.status, 422);
  assert.deepEqual(Object.keys((await wrong.json()).errors).sort(), ["count", "sku"]);
  assert.equal((await call("acc-zod", { method: "POST", body: "{" })).status, 422);
});

test("tokens are verified by the function itself: the platform's and another's", async () => {
  await deploy("acc-jose", `
    import * as jose from "npm:jose@5.10.0";
    const theirs = new TextEncoder().encode("the secret that another platform signs with");
    Deno.serve(async (req) => {
      const token = (req.headers.get("authorization") ?? "").replace("Bearer ", "");
      try {
        const { payload } = await jose.jwtVerify(token, theirs, { issuer: "elsewhere", algorithms: ["HS256"] });
        return Response.json({ sub: payload.sub });
      } catch (error) {
        return Response.json({ msg: (error as { code?: string }).code }, { status: 401 });
      }
    });`, { verify_jwt: false });
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const sign = (claims, secret) => {
    const text = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
    return `Bearer ${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
  };
  const claims = { sub: "ada", iss: "elsewhere", exp: Math.floor(Date.now() / 1000) + 60 };
  const ask = (authorization) => fetch(`${functionsUrl}/acc-jose`, { headers: { authorization } });
  const good = await ask(sign(claims, "the secret that another platform signs with"));
  assert.deepEqual([good.status, await good.json()], [200, { sub: "ada" }]);
  assert.equal((await ask(sign(claims, "a guess"))).status, 401);
  const late = await ask(sign({ ...claims, exp: 1 }, "the secret that another platform signs with"));
  assert.deepEqual(await late.json(), { msg: "ERR_JWT_EXPIRED" });
  const { session } = await newUser();
  assert.equal((await ask(`Bearer ${session.access_token}`)).status, 401);
});

test("a page is made of elements on the server", async () => {
  await deploy("acc-preact", 'import "./page.tsx";', {
    files: {
      "acc-preact/deno.json": JSON.stringify({
        imports: { "preact": "npm:preact@10.26.9", "preact/jsx-runtime": "npm:preact@10.26.9/jsx-runtime", "render": "npm:preact-render-to-string@6.5.13" },
        compilerOptions: { jsx: "react-jsx", jsxImportSource: "preact" },
      }),
      "acc-preact/page.tsx": `import { render } from "render";
        const List = ({ names }: { names: string[] }) => <ul>{names.map((name) => <li key={name}>{name}</li>)}</ul>;
        Deno.serve((req) => {
          const names = new URL(req.url).searchParams.getAll("name");
          return new Response("<!doctype html>" + render(<List names={names} />), { headers: { "content-type": "text/html" } });
        });`,
    },
  });
  const page = await call("acc-preact?name=Ada&name=%3Cb%3E");
  assert.equal(await page.text(), "<!doctype html><ul><li>Ada</li><li>&lt;b></li></ul>");
});

test("a row is written after the answer, with the key of the service", async () => {
  await deploy("acc-later", `
    import { createClient } from "npm:@supabase/supabase-js@2.119.1";
    const supabase = createClient(Deno.env.get("SUPABASE_URL")!, Deno.env.get("SUPABASE_SERVICE_ROLE_KEY")!);
    async function write(name: string) {
      await new Promise((done) => setTimeout(done, 200));
      const { error } = await supabase.from("acc_done").upsert({ name, place: "later" });
      if (error) console.error(error.message);
    }
    Deno.serve(async (req) => {
      const { name } = await req.json();
      EdgeRuntime.waitUntil(write(name));
      return Response.json({ accepted: name }, { status: 202 });
    });`);
  assert.equal((await post("acc-later", { name: "later" })).status, 202);
  await until("the row is there", async () => (await sql("select 1 from public.acc_done where place = 'later'")).rowCount === 1);
});

test("errors are caught by a wrapper, and what nobody catches is a 500 that tells nothing", async () => {
  await deploy("acc-errors", `
    class Refused extends Error { constructor(readonly status: number, message: string) { super(message); } }
    const guarded = (inner: (req: Request) => Promise<Response>) => async (req: Request) => {
      try {
        return await inner(req);
      } catch (error) {
        if (error instanceof Refused) return Response.json({ error: error.message }, { status: error.status });
        throw error;
      }
    };
    Deno.serve(guarded(async (req) => {
      const { kind } = await req.json();
      if (kind === "refused") throw new Refused(403, "not yours");
      throw new Error("the password is hunter2");
    }));`);
  const refused = await post("acc-errors", { kind: "refused" });
  assert.deepEqual([refused.status, await refused.json()], [403, { error: "not yours" }]);
  const thrown = await post("acc-errors", { kind: "other" });
  assert.equal(thrown.status, 500);
  assert.doesNotMatch(await thrown.text(), /hunter2/);
});

test("what cannot be fetched is said with its line when it is deployed", async () => {
  for (const module of ["https://nowhere.invalid/std/http/server.ts", "npm:selfdb-acceptance-has-no-such-package@1.0.0"]) {
    const refused = await offer("acc-unfetched", `\nimport { serve } from "${module}";\nserve(() => new Response("ok"));`);
    assert.equal(refused.status, 422);
    const { diagnostics } = await refused.json();
    assert.ok(diagnostics.some((each) => each.line === 2 && each.message.length > 0), JSON.stringify(diagnostics));
  }
  assert.equal((await call("acc-unfetched")).status, 404);
});
