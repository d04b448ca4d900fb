import assert from "node:assert/strict";
import { test } from "node:test";
import { client, env, newUser, password, service, url } from "../lib/instance.mjs";

test("a user signs up, signs in, reads and changes themselves, and signs out", async () => {
  const { email, user } = await newUser();
  assert.equal(user.email, email);
  assert.equal(user.role, "authenticated");
  assert.equal(user.identities[0].provider, "email");

  const supabase = client();
  const signedIn = await supabase.auth.signInWithPassword({ email, password });
  assert.ifError(signedIn.error);
  assert.equal(signedIn.data.session.token_type, "bearer");
  assert.equal(signedIn.data.user.id, user.id);

  const read = await supabase.auth.getUser();
  assert.equal(read.data.user.id, user.id);

  const changed = await supabase.auth.updateUser({ data: { nickname: "Ada" } });
  assert.ifError(changed.error);
  assert.equal(changed.data.user.user_metadata.nickname, "Ada");

  const token = signedIn.data.session.access_token;
  assert.ifError((await supabase.auth.signOut()).error);
  // auth-js makes this of GoTrue's 403 session_not_found.
  const { error } = await client().auth.getUser(token);
  assert.equal(error.name, "AuthSessionMissingError");
});

test("a wrong password and an unknown user are told the same", async () => {
  const { email } = await newUser();
  const wrong = await client().auth.signInWithPassword({ email, password: "not the password" });
  const unknown = await client().auth.signInWithPassword({ email: `nobody-${email}`, password });
  for (const { error } of [wrong, unknown]) {
    assert.equal(error.status, 400);
    assert.equal(error.code, "invalid_credentials");
  }
  assert.equal(wrong.error.message, unknown.error.message);
});

test("signing up twice and with a short password are refused", async () => {
  const { email } = await newUser();
  const twice = await client().auth.signUp({ email, password });
  assert.equal(twice.error.status, 422);
  assert.equal(twice.error.code, "user_already_exists");
  const short = await client().auth.signUp({ email: `x-${email}`, password: "a" });
  assert.equal(short.error.code, "weak_password");
});

test("refresh tokens rotate, and a stolen old one ends the family", async () => {
  const { supabase, session } = await newUser();
  const first = await supabase.auth.refreshSession();
  assert.ifError(first.error);
  assert.notEqual(first.data.session.refresh_token, session.refresh_token);

  // The parent of the active token answers the active token: a client that lost the answer.
  const again = await client().auth.refreshSession({ refresh_token: session.refresh_token });
  assert.ifError(again.error);
  assert.equal(again.data.session.refresh_token, first.data.session.refresh_token);

  const unknown = await client().auth.refreshSession({ refresh_token: "not-a-token" });
  assert.equal(unknown.error.code, "refresh_token_not_found");
});

test("a hundred refreshes of one token converge on one live token", async () => {
  const { session } = await newUser();
  const answers = await Promise.all(
    Array.from({ length: 100 }, () =>
      client().auth.refreshSession({ refresh_token: session.refresh_token })),
  );
  const failed = answers.filter(({ error }) => error && error.status !== 429);
  assert.deepEqual(failed.map(({ error }) => error.code), []);
  const tokens = new Set(answers.filter(({ error }) => !error).map(({ data }) => data.session.refresh_token));
  assert.equal(tokens.size, 1);
});

test("body fields never grant rights", async () => {
  const response = await fetch(`${url}/auth/v1/signup`, {
    method: "POST",
    headers: { apikey: env.ANON_KEY, "content-type": "application/json" },
    body: JSON.stringify({
      email: `grab-${Date.now()}@example.com`, password,
      role: "service_role", is_superuser: true, is_super_admin: true, aud: "admin",
      app_metadata: { is_superuser: true },
    }),
  });
  assert.equal(response.status, 200);
  const { user } = await response.json();
  assert.equal(user.role, "authenticated");
  assert.equal(user.aud, "authenticated");
  assert.equal(user.app_metadata.is_superuser, undefined);
});

test("the service role administers users, nobody else does", async () => {
  const { user, supabase } = await newUser();
  const listed = await service().auth.admin.listUsers({ page: 1, perPage: 5 });
  assert.ifError(listed.error);
  assert.ok(listed.data.users.length >= 1);
  const found = await service().auth.admin.getUserById(user.id);
  assert.equal(found.data.user.id, user.id);
  const refused = await supabase.auth.admin.listUsers();
  assert.equal(refused.error.status, 403);
  const deleted = await service().auth.admin.deleteUser(user.id);
  assert.ifError(deleted.error);
});

test("the admin of the env file signs in", async () => {
  const { data, error } = await client().auth.signInWithPassword({
    email: env.DEFAULT_ADMIN_EMAIL, password: env.DEFAULT_ADMIN_PASSWORD,
  });
  assert.ifError(error);
  assert.equal(data.user.app_metadata.is_superuser, true);
});
