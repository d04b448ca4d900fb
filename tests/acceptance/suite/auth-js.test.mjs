// What auth-js can ask for without letters and without a browser.
import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { test } from "node:test";
import { client, env, newUser, password, service, sql, untilExposed } from "../lib/instance.mjs";

const address = (name) => `${name}-${randomUUID()}@example.com`;

/** The data of an answer that must not be an error. */
function data(answer) {
  assert.ifError(answer.error);
  return answer.data;
}

/** The code of RFC 6238 that an authenticator shows now. */
function totp(secret) {
  const bits = [...secret].map((letter) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)));
  const mac = createHmac("sha1", key).update(counter).digest();
  const number = mac.readUInt32BE(mac.at(-1) & 15) & 0x7fffffff;
  return String(number % 1000000).padStart(6, "0");
}

test("an anonymous user is let in only where that is allowed", async () => {
  const { data: answer, error } = await client().auth.signInAnonymously();
  if (env.GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED === "true") {
    assert.equal(answer.user.is_anonymous, true);
  } else {
    assert.equal(error.status, 422);
    assert.equal(error.code, "anonymous_provider_disabled");
  }
});

test("claims, identities and a new password", async () => {
  const { supabase, email, user, session } = await newUser();
  const { claims } = data(await supabase.auth.getClaims());
  assert.equal(claims.sub, user.id);
  assert.equal(claims.email, email);
  assert.equal(claims.role, "authenticated");
  assert.equal(claims.aal, "aal1");
  assert.deepEqual(claims.amr.map(({ method }) => method), ["password"]);
  const { identities } = data(await supabase.auth.getUserIdentities());
  assert.deepEqual(identities.map(({ provider }) => provider), ["email"]);
  assert.equal(identities[0].identity_data.email, email);

  data(await supabase.auth.updateUser({ password: `${password}-new` }));
  const same = await supabase.auth.updateUser({ password: `${password}-new` });
  assert.equal(same.error.code, "same_password");
  const old = await client().auth.signInWithPassword({ email, password });
  assert.equal(old.error.code, "invalid_credentials");
  data(await client().auth.signInWithPassword({ email, password: `${password}-new` }));

  const copy = client();
  data(await copy.auth.setSession(session));
  assert.equal(data(await copy.auth.getSession()).session.user.id, user.id);
});

test("a second factor: enrolled, shown, asked for, removed", async () => {
  const { supabase, email } = await newUser();
  const { mfa } = supabase.auth;
  const enrolled = data(await mfa.enroll({ factorType: "totp", friendlyName: "phone" }));
  assert.match(enrolled.totp.uri, /^otpauth:\/\/totp\//);
  assert.match(enrolled.totp.qr_code, /^data:image\/svg\+xml/);
  const factorId = enrolled.id;

  const wrong = data(await mfa.challenge({ factorId }));
  const refused = await mfa.verify({ factorId, challengeId: wrong.id, code: "x" });
  assert.ok(refused.error.status >= 400 && refused.error.status < 500, refused.error.message);

  const challenge = data(await mfa.challenge({ factorId }));
  const code = totp(enrolled.totp.secret);
  const verified = data(await mfa.verify({ factorId, challengeId: challenge.id, code }));
  assert.equal(verified.token_type, "bearer");
  const level = data(await mfa.getAuthenticatorAssuranceLevel());
  assert.equal(level.currentLevel, "aal2");
  assert.equal(level.nextLevel, "aal2");
  assert.deepEqual(
    level.currentAuthenticationMethods.map(({ method }) => method).sort(), ["password", "totp"]);
  const factors = data(await mfa.listFactors());
  assert.deepEqual(factors.totp.map(({ id }) => id), [factorId]);

  const other = client();
  data(await other.auth.signInWithPassword({ email, password }));
  const before = data(await other.auth.mfa.getAuthenticatorAssuranceLevel());
  assert.deepEqual([before.currentLevel, before.nextLevel], ["aal1", "aal2"]);
  const tooWeak = await other.auth.mfa.unenroll({ factorId });
  assert.equal(tooWeak.error.code, "insufficient_aal");

  assert.equal(data(await mfa.unenroll({ factorId })).id, factorId);
  assert.deepEqual(data(await mfa.listFactors()).all, []);
});

test("a policy that asks for a second factor shows rows only to who has shown one", async () => {
  const table = `strong_${process.pid}`;
  await sql(`
    create table public.${table} (id int primary key);
    alter table public.${table} enable row level security;
    create policy "after a second factor" on public.${table} for select to authenticated
      using ((select auth.jwt() ->> 'aal') = 'aal2');
    insert into public.${table} values (1);
  `);
  await untilExposed(table);
  try {
    const { supabase } = await newUser();
    const { mfa } = supabase.auth;
    assert.deepEqual(data(await supabase.from(table).select()), []);
    const { id: factorId, totp: { secret } } = data(await mfa.enroll({ factorType: "totp" }));
    const { id: challengeId } = data(await mfa.challenge({ factorId }));
    data(await mfa.verify({ factorId, challengeId, code: totp(secret) }));
    assert.deepEqual(data(await supabase.from(table).select()), [{ id: 1 }]);
    data(await mfa.unenroll({ factorId }));
    data(await supabase.auth.refreshSession());
    assert.deepEqual(data(await supabase.from(table).select()), []);
  } finally {
    await sql(`drop table public.${table}`);
  }
});

test("an administrator makes, finds, changes, bans and deletes users", async () => {
  const { admin } = service().auth;
  const email = address("made");
  const { user } = data(await admin.createUser({
    email, password, email_confirm: true,
    user_metadata: { name: "Ada" }, app_metadata: { team: "one" },
  }));
  assert.ok(user.email_confirmed_at);
  assert.equal(user.app_metadata.team, "one");
  const twice = await admin.createUser({ email, password });
  assert.equal(twice.error.status, 422);
  assert.equal(twice.error.code, "email_exists");
  const listed = data(await admin.listUsers({ page: 1, perPage: 1 }));
  assert.equal(listed.users.length, 1);
  assert.ok(listed.total >= 1);

  const changed = data(await admin.updateUserById(user.id, { ban_duration: "1h" }));
  assert.ok(changed.user.banned_until);
  const banned = await client().auth.signInWithPassword({ email, password });
  assert.equal(banned.error.code, "user_banned");
  data(await admin.updateUserById(user.id, { ban_duration: "none" }));
  const { session } = data(await client().auth.signInWithPassword({ email, password }));

  data(await admin.signOut(session.access_token, "global"));
  assert.equal((await client().auth.refreshSession(session)).error.code, "refresh_token_not_found");
  data(await admin.deleteUser(user.id));
  const gone = await admin.getUserById(user.id);
  assert.equal(gone.error.status, 404);
  assert.equal(gone.error.code, "user_not_found");
});

test("an administrator takes a user's second factor away", async () => {
  const { admin } = service().auth;
  const { supabase, user } = await newUser();
  const { id } = data(await supabase.auth.mfa.enroll({ factorType: "totp" }));
  const listed = data(await admin.mfa.listFactors({ userId: user.id }));
  assert.deepEqual(listed.factors.map((factor) => factor.id), [id]);
  data(await admin.mfa.deleteFactor({ userId: user.id, id }));
  assert.deepEqual(data(await admin.mfa.listFactors({ userId: user.id })).factors, []);
});

test("links that an administrator makes are used by their token, once", async () => {
  const { admin } = service().auth;
  const { email, user } = await newUser();
  for (const type of ["magiclink", "recovery"]) {
    const { properties } = data(await admin.generateLink({ type, email }));
    assert.equal(properties.verification_type, type);
    assert.ok(properties.action_link.includes(`type=${type}`));
    const supabase = client();
    const token_hash = properties.hashed_token;
    const verified = data(await supabase.auth.verifyOtp({ type, token_hash }));
    assert.equal(verified.user.id, user.id);
    assert.equal(data(await supabase.auth.getUser()).user.id, user.id);
    const again = await client().auth.verifyOtp({ type, token_hash });
    assert.equal(again.error.status, 403);
    assert.equal(again.error.code, "otp_expired");
  }
  const { properties } = data(await admin.generateLink({ type: "magiclink", email }));
  const token = properties.email_otp;
  assert.match(token, /^\d{6}$/);
  assert.equal(data(await client().auth.verifyOtp({ type: "email", email, token })).user.id, user.id);

  for (const type of ["invite", "signup"]) {
    const newcomer = { type, email: address(type), password };
    const link = data(await admin.generateLink(newcomer));
    assert.equal(link.user.email, newcomer.email);
    const token_hash = link.properties.hashed_token;
    const verified = data(await client().auth.verifyOtp({ type, token_hash }));
    assert.ok(verified.user.email_confirmed_at);
  }
  const refused = await client().auth.admin.generateLink({ type: "magiclink", email });
  assert.ok([401, 403].includes(refused.error.status));
});

test("signing out ends this session, the others or all", async () => {
  const { supabase: first, email } = await newUser();
  const [second, third] = [client(), client()];
  for (const supabase of [second, third]) {
    data(await supabase.auth.signInWithPassword({ email, password }));
  }
  const tokens = [];
  for (const supabase of [first, second, third]) {
    tokens.push(data(await supabase.auth.getSession()).session);
  }
  const ended = async (session) => (await client().auth.refreshSession(session)).error?.code;
  assert.ifError((await first.auth.signOut({ scope: "local" })).error);
  assert.equal(await ended(tokens[0]), "refresh_token_not_found");
  assert.ifError((await second.auth.signOut({ scope: "others" })).error);
  assert.equal(await ended(tokens[2]), "refresh_token_not_found");
  data(await second.auth.refreshSession());
  const last = data(await second.auth.getSession()).session;
  assert.ifError((await second.auth.signOut({ scope: "global" })).error);
  assert.equal(await ended(last), "refresh_token_not_found");
});

test("who is invited waits, and is let in by a link that an administrator hands over", async () => {
  const { admin } = service().auth;
  const email = address("invited");
  const { user } = data(await admin.inviteUserByEmail(email, { data: { team: "one" } }));
  assert.ok(user.invited_at);
  assert.ok(!user.email_confirmed_at);
  assert.equal(user.user_metadata.team, "one");
  const { properties } = data(await admin.generateLink({ type: "invite", email }));
  const answer = await client().auth.verifyOtp({ type: "invite", token_hash: properties.hashed_token });
  assert.equal(data(answer).user.id, user.id);
  assert.equal((await admin.inviteUserByEmail(email)).error.code, "email_exists");
});
