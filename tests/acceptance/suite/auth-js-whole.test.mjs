// That auth-js is driven as a whole: its events and timers, what this service does not have, and
// every other method it offers by some test of this folder.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { client, env, newUser, password, service, url } from "../lib/instance.mjs";
import { letterTo } from "../lib/letters.mjs";

function data(answer) {
  assert.ifError(answer.error);
  return answer.data;
}

async function refused(answer, status, code) {
  const { error } = await answer;
  assert.equal(error?.code, code);
  assert.equal(error.status, status);
}

test("a client tells what happens to its session, and stops when it is told", async () => {
  const { email } = await newUser();
  const { auth } = client();
  assert.ok(!auth.isThrowOnErrorEnabled());
  assert.ifError((await auth.initialize()).error);
  const seen = [];
  const { data: { subscription } } = auth.onAuthStateChange((event) => { seen.push(event); });
  data(await auth.signInWithPassword({ email, password }));
  await auth.startAutoRefresh();
  data(await auth.refreshSession());
  await auth.stopAutoRefresh();
  data(await auth.updateUser({ data: { seen: true } }));
  assert.ifError((await auth.signOut()).error);
  subscription.unsubscribe();
  await auth.dispose();
  const happened = ["SIGNED_IN", "TOKEN_REFRESHED", "USER_UPDATED", "SIGNED_OUT"];
  assert.deepEqual(seen.filter((event) => event !== "INITIAL_SESSION"), happened);
});

test("a token is checked by the instance's public keys, or by the instance", async () => {
  const { supabase, session, user } = await newUser();
  const { claims, header } = data(await supabase.auth.getClaims());
  assert.equal(claims.sub, user.id);
  assert.equal(header.alg, env.GOTRUE_JWT_KEYS ? "ES256" : "HS256");
  const { keys } = await fetch(`${url}/auth/v1/.well-known/jwks.json`).then((answer) => answer.json());
  assert.equal(keys.some(({ kid }) => kid === header.kid), Boolean(env.GOTRUE_JWT_KEYS));
  assert.ok(keys.every((key) => key.d === undefined && key.k === undefined));

  const [head, , signature] = session.access_token.split(".");
  const forged = Buffer.from(JSON.stringify({ ...claims, role: "service_role" })).toString("base64url");
  const { error } = await client().auth.getClaims(`${head}.${forged}.${signature}`);
  assert.ok(error, "a forged token is believed");
});

test("somebody shows that they are the same by a code", async () => {
  const { supabase, email } = await newUser();
  data(await supabase.auth.reauthenticate());
  const { code: nonce } = await letterTo(email);
  data(await supabase.auth.updateUser({ password: `${password}-new`, nonce }));
  data(await client().auth.signInWithPassword({ email, password: `${password}-new` }));
});

test("passkeys are asked for and refused without a browser", async () => {
  const { supabase, user } = await newUser();
  const { passkey } = supabase.auth;
  const asked = data(await passkey.startRegistration());
  assert.ok(asked.options.challenge);
  const credential = { id: "x", rawId: "x", type: "public-key", response: {} };
  const made = await passkey.verifyRegistration({ challengeId: asked.challenge_id, credential });
  assert.ok(made.error.status >= 400 && made.error.status < 500, made.error.message);
  const entry = data(await client().auth.passkey.startAuthentication());
  await refused(client().auth.passkey.verifyAuthentication({
    challengeId: randomUUID(), credential,
  }), 400, "webauthn_challenge_not_found");
  assert.notEqual(entry.challenge_id, asked.challenge_id);
  const { admin } = service().auth;
  assert.deepEqual(data(await admin.passkey.listPasskeys({ userId: user.id })), []);
  await refused(admin.passkey.deletePasskey({ userId: user.id, passkeyId: randomUUID() }), 404, "validation_failed");
});

test("what is not here says so, as where it is switched off", async () => {
  const { auth } = client();
  await refused(auth.signInWithSSO({ domain: "example.com" }), 404, "saml_provider_disabled");
  const wallet = { chain: "ethereum", message: "let me in", signature: "0x00" };
  await refused(auth.signInWithWeb3(wallet), 422, "web3_provider_disabled");

  const { supabase, session } = await newUser();
  const off = (answer) => refused(answer, 404, "feature_disabled");
  const { oauth } = supabase.auth;
  const id = randomUUID();
  await off(oauth.getAuthorizationDetails(id));
  await off(oauth.approveAuthorization(id));
  await off(oauth.denyAuthorization(id));
  await off(oauth.listGrants());
  await off(oauth.revokeGrant({ clientId: id }));

  const { oauth: clients, customProviders } = service().auth.admin;
  await off(clients.listClients());
  await off(clients.createClient({ client_name: "x", redirect_uris: ["https://example.com/"] }));
  await off(clients.getClient(id));
  await off(clients.updateClient(id, { client_name: "y" }));
  await off(clients.deleteClient(id));
  await off(clients.regenerateClientSecret(id));
  await off(customProviders.listProviders());
  await off(customProviders.createProvider({ identifier: "custom:x", name: "x" }));
  await off(customProviders.getProvider("custom:x"));
  await off(customProviders.updateProvider("custom:x", { name: "y" }));
  await off(customProviders.deleteProvider("custom:x"));

  const options = { client: { auth: { persistSession: false, autoRefreshToken: false, experimental: { recoveryCodes: true } } } };
  const curious = client(undefined, options);
  data(await curious.auth.setSession(session));
  const { recoveryCodes } = curious.auth.mfa;
  const enroll = "mfa_recovery_codes_enroll_not_enabled";
  await refused(recoveryCodes.getStatus(), 404, "mfa_factor_not_found");
  await refused(recoveryCodes.generate(), 422, enroll);
  await refused(recoveryCodes.regenerate(), 422, enroll);
  await refused(recoveryCodes.verify({ code: "x" }), 422, "mfa_recovery_codes_verify_not_enabled");
  await refused(recoveryCodes.unenroll(), 404, "mfa_factor_not_found");
});

test("every method of auth-js is called by a test of this folder", () => {
  const require = createRequire(createRequire(import.meta.url).resolve("@supabase/supabase-js/package.json"));
  const types = dirname(require.resolve("@supabase/auth-js"));
  const read = (file) => readFileSync(join(types, file), "utf8");
  const interfaces = read("lib/types.d.ts").split(/^export interface /m)
    .filter((text) => /^(Auth|GoTrue)\w+Api \{/.test(text)).map((text) => text.split(/^\}/m)[0]);
  const text = [read("GoTrueClient.d.ts"), read("GoTrueAdminApi.d.ts"), ...interfaces].join("\n");
  const methods = new Set([...text.matchAll(/^ {4}([a-z]\w+)\(/gm)].map(([, name]) => name));
  methods.delete("constructor");
  assert.ok(methods.size > 60, `only ${methods.size} methods found`);
  const folder = import.meta.dirname;
  const tests = readdirSync(folder).filter((name) => name.startsWith("auth"))
    .map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
  assert.deepEqual([...methods].filter((name) => !tests.includes(`.${name}(`)), []);
});
