// The instance under test: its env file, clients for it, and a superuser's connection.
import { readFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { createClient } from "@supabase/supabase-js";
import pg from "pg";
import WebSocket from "ws";

export const envFile = process.env.SELFDB_ENV_FILE;
if (!envFile) throw new Error("SELFDB_ENV_FILE names no env file: run tests/acceptance/run.sh");

export function readEnv(file) {
  const values = {};
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const match = /^\s*([A-Z0-9_]+)\s*=\s*(.*)$/.exec(line);
    if (match) values[match[1]] = match[2].replace(/^'(.*)'$/, "$1");
  }
  return values;
}

export const env = readEnv(envFile);
export const url = `http://localhost:${env.API_PORT}`;

const transport = { transport: WebSocket };

export function client(key = env.ANON_KEY, options = {}) {
  return createClient(url, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { ...transport, ...options.realtime },
    ...options.client,
  });
}

export const service = () => client(env.SERVICE_ROLE_KEY);

export const password = "correct horse battery 9";

/** A signed-in client of a new user. */
export async function newUser() {
  const email = `user-${randomUUID()}@example.com`;
  const supabase = client();
  const { data, error } = await supabase.auth.signUp({ email, password });
  if (error) throw error;
  if (!data.session) throw new Error("sign-up answered no session");
  return { supabase, email, user: data.user, session: data.session };
}

/** Runs `work` with a superuser's connection. */
export async function withDatabase(work) {
  const database = new pg.Client({
    host: "127.0.0.1",
    port: Number(env.POSTGRES_PORT),
    user: "postgres",
    password: env.POSTGRES_PASSWORD,
    database: "postgres",
  });
  await database.connect();
  try {
    return await work(database);
  } finally {
    await database.end();
  }
}

export const sql = (text, values) => withDatabase((database) => database.query(text, values));

/** Polls until `probe` answers something truthy; fails with `what` after `seconds`. */
export async function until(what, probe, seconds = 10) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await probe();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Waits until /rest/v1 knows a table that was just made. */
export const untilExposed = (table) =>
  until(`${table} is exposed`, async () => !(await service().from(table).select("*").limit(0)).error);
