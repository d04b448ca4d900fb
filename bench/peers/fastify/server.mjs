// The same answers as the REST service gives, as one writes them by hand. What is public is one
// prepared query as the owner; what has row-level security is one transaction with the role and
// the claims of the caller.
import Fastify from "fastify";
import jwt from "@fastify/jwt";
import pg from "pg";

const { PORT, OWNER_URL, USER_URL, JWT_SECRET } = process.env;
const owner = new pg.Pool({ connectionString: OWNER_URL, max: 8 });
const users = new pg.Pool({ connectionString: USER_URL, max: 8 });

const app = Fastify();
await app.register(jwt, { secret: JWT_SECRET, verify: { cache: true } });

async function asCaller(claims, query) {
  const client = await users.connect();
  try {
    await client.query("begin");
    await client.query({
      name: "context",
      text: "select set_config('role', $1, true), set_config('request.jwt.claims', $2, true)",
      values: [claims.role, JSON.stringify(claims)],
    });
    const { rows } = await client.query(query);
    await client.query("commit");
    return rows;
  } catch (error) {
    await client.query("rollback");
    throw error;
  } finally {
    client.release();
  }
}

app.get("/items/:id", async (request) => {
  const text = "select * from public.items where id = $1";
  const { rows } = await owner.query({ name: "item", text, values: [request.params.id] });
  return rows;
});

app.get("/items", async (request) => {
  const text = "select * from public.items order by id limit $1";
  const { rows } = await owner.query({ name: "items", text, values: [request.query.limit] });
  return rows;
});

const signedIn = { onRequest: (request) => request.jwtVerify() };

app.get("/own_items/:id", signedIn, (request) => {
  const text = "select * from public.own_items where id = $1";
  return asCaller(request.user, { name: "own_item", text, values: [request.params.id] });
});

app.post("/written", signedIn, async (request, reply) => {
  const text = "insert into public.written (item, name) values ($1, $2)";
  const { item, name } = request.body;
  await asCaller(request.user, { name: "write", text, values: [item, name] });
  reply.code(201);
});

await app.listen({ port: Number(PORT), host: "127.0.0.1" });
