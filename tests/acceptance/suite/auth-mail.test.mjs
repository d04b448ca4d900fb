// What auth-js asks for by letters: codes and links to sign in with, to recover, to confirm a change.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readlinkSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { AuthClient } from "@supabase/supabase-js";
import { client, env, newUser, password, until, url } from "../lib/instance.mjs";
import { letterTo, lettersTo } from "../lib/letters.mjs";
import { mainPid } from "../lib/processes.mjs";

const address = (name) => `${name}-${randomUUID()}@example.com`;

function data(answer) {
  assert.ifError(answer.error);
  return answer.data;
}

/** Follows a link as a browser does; where it leads. */
async function follow(link) {
  const answer = await fetch(link, { redirect: "manual" });
  assert.equal(answer.status, 303);
  return new URL(answer.headers.get("location"));
}

test("a code from a letter signs a newcomer in, once", async () => {
  const email = address("otp");
  data(await client().auth.signInWithOtp({ email }));
  const { code: token } = await letterTo(email);
  const supabase = client();
  const { user, session } = data(await supabase.auth.verifyOtp({ type: "email", email, token }));
  assert.equal(user.email, email);
  assert.ok(session.refresh_token);
  data(await supabase.auth.refreshSession());
  const again = await client().auth.verifyOtp({ type: "email", email, token });
  assert.equal(again.error.status, 403);
  assert.equal(again.error.code, "otp_expired");
});

test("a magic link leads to the site with a session, or with a code for who began", async () => {
  const { email, user } = await newUser();
  data(await client().auth.signInWithOtp({ email, options: { shouldCreateUser: false } }));
  const implicit = await follow((await letterTo(email)).link);
  const fragment = new URLSearchParams(implicit.hash.slice(1));
  assert.equal(fragment.get("type"), "magiclink");
  const { data: told } = await client().auth.getUser(fragment.get("access_token"));
  assert.equal(told.user.id, user.id);

  const supabase = client(undefined, { client: { auth: { flowType: "pkce", persistSession: false } } });
  data(await supabase.auth.signInWithOtp({ email, options: { emailRedirectTo: `${url}/done` } }));
  const led = await follow((await letterTo(email, 1)).link);
  assert.equal(led.pathname, "/done");
  const { session } = data(await supabase.auth.exchangeCodeForSession(led.searchParams.get("code")));
  assert.equal(session.user.id, user.id);
});

test("a forgotten password is replaced by way of a letter, and nobody is told who has an account", async () => {
  const { email } = await newUser();
  data(await client().auth.resetPasswordForEmail(email));
  const { code: token } = await letterTo(email);
  const supabase = client();
  data(await supabase.auth.verifyOtp({ type: "recovery", email, token }));
  data(await supabase.auth.updateUser({ password: `${password}-new` }));
  data(await client().auth.signInWithPassword({ email, password: `${password}-new` }));
  const nobody = address("nobody");
  assert.deepEqual(data(await client().auth.resetPasswordForEmail(nobody)), {});
  assert.equal(lettersTo(nobody).length, 0);
});

// The instance takes addresses unconfirmed, as other suites need it. A node of ours beside it does
// not; only as processes is there a program for it.
const onlyAsProcesses = env.SELFDB_MODE === "processes" ? false : "needs services as processes";
let node;
let nodeUrl;

before(async () => {
  if (onlyAsProcesses) return;
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  const program = join(dirname(readlinkSync(`/proc/${mainPid()}/exe`)), "selfdb-auth");
  const settings = { ...env, AUTH_PORT: String(port), GOTRUE_MAILER_AUTOCONFIRM: "false", LOG_LEVEL: "off" };
  node = spawn(program, { env: { PATH: process.env.PATH, ...settings }, stdio: "ignore" });
  nodeUrl = `http://127.0.0.1:${port}`;
  await until("the node answers", () => fetch(`${nodeUrl}/health`).then(({ ok }) => ok, () => false));
});

after(() => node?.kill("SIGKILL"));

const confirming = () => new AuthClient({ url: nodeUrl, persistSession: false, autoRefreshToken: false });

test("a sign-up waits for its address, and both addresses confirm a change", { skip: onlyAsProcesses }, async () => {
  const email = address("confirm");
  const auth = confirming();
  const waiting = data(await auth.signUp({ email, password }));
  assert.equal(waiting.session, null);
  assert.equal((await auth.signInWithPassword({ email, password })).error.code, "email_not_confirmed");
  const first = await letterTo(email);
  const { user } = data(await auth.verifyOtp({ type: "signup", email, token: first.code }));
  assert.ok(user.email_confirmed_at);

  const changed = address("changed");
  assert.equal(data(await auth.updateUser({ email: changed })).user.new_email, changed);
  const [toNew, toOld] = [await letterTo(changed), await letterTo(email, 1)];
  const half = await auth.verifyOtp({ type: "email_change", email: changed, token: toNew.code });
  assert.ifError(half.error);
  assert.equal(data(await auth.getUser()).user.email, email);
  data(await auth.verifyOtp({ type: "email_change", email, token: toOld.code }));
  assert.equal(data(await auth.getUser()).user.email, changed);

  data(await auth.reauthenticate());
  const { code: nonce } = await letterTo(changed, 1);
  data(await auth.updateUser({ password: `${password}-new`, nonce }));
  data(await confirming().signInWithPassword({ email: changed, password: `${password}-new` }));
});

test("a confirmation is sent again", { skip: onlyAsProcesses }, async () => {
  const email = address("again");
  const auth = confirming();
  data(await auth.signUp({ email, password }));
  await letterTo(email);
  data(await auth.resend({ type: "signup", email }));
  const { code: token } = await letterTo(email, 1);
  assert.ok(data(await auth.verifyOtp({ type: "signup", email, token })).session);
});
