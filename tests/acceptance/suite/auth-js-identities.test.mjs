// The ways a user signs in, as auth-js drives them without a browser: other providers, id tokens,
// several identities of one user, and none at all.
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { identityProvider } from "../lib/identity-provider.mjs";
import { client, env, newUser, password, service, url } from "../lib/instance.mjs";

const name = "keycloak";
const stranger = () => ({
  sub: randomUUID(), email: `ada-${randomUUID()}@example.com`, email_verified: true, name: "Ada",
});
let provider;

before(async () => {
  provider = await identityProvider(new URL(env.GOTRUE_EXTERNAL_KEYCLOAK_URL), {
    clientId: env.GOTRUE_EXTERNAL_KEYCLOAK_CLIENT_ID,
    secret: env.GOTRUE_EXTERNAL_KEYCLOAK_SECRET,
    user: stranger(),
  });
});

after(() => provider.close());

/** The data of an answer that must not be an error. */
function data(answer) {
  assert.ifError(answer.error);
  return answer.data;
}

const pkce = () => client(undefined, {
  client: { auth: { flowType: "pkce", persistSession: false, autoRefreshToken: false } },
});

/** Goes where a browser would: to the provider, over its page and back; where that leads. */
async function visit(address) {
  const begun = await fetch(address, { redirect: "manual" });
  const cookie = begun.headers.get("set-cookie")?.split(";")[0];
  const page = await fetch(begun.headers.get("location") ?? address).then((answer) => answer.text());
  const link = /href="([^"]+)"/.exec(page)[1].replaceAll("&amp;", "&");
  const back = await fetch(link, { redirect: "manual", headers: cookie ? { cookie } : {} });
  assert.equal(back.status, 303);
  return new URL(back.headers.get("location"));
}

test("who comes back from a provider trades a code for a session", async () => {
  const supabase = pkce();
  const { url: address } = data(await supabase.auth.signInWithOAuth({
    provider: name, options: { redirectTo: `${url}/done`, skipBrowserRedirect: true },
  }));
  const led = await visit(address);
  assert.equal(led.pathname, "/done");
  const code = led.searchParams.get("code");
  const { session, user } = data(await supabase.auth.exchangeCodeForSession(code));
  assert.equal(user.email, provider.user.email);
  assert.equal(user.app_metadata.provider, name);
  assert.ok(session.provider_token);

  const body = JSON.stringify({ auth_code: code, code_verifier: "x".repeat(50) });
  const headers = { apikey: env.ANON_KEY, "content-type": "application/json" };
  const again = await fetch(`${url}/auth/v1/token?grant_type=pkce`, { method: "POST", headers, body });
  assert.equal(again.status, 404);
  assert.equal((await again.json()).error_code, "flow_state_not_found");
});

test("an id token signs in whom its provider vouches for", async () => {
  const who = stranger();
  const nonce = randomUUID();
  const hashed = createHash("sha256").update(nonce).digest("hex");
  const sign = (token, more) => client().auth.signInWithIdToken({ provider: name, token, ...more });
  const { user } = data(await sign(provider.idToken(hashed, who), { nonce }));
  assert.equal(user.email, who.email);
  const again = data(await sign(provider.idToken(undefined, who)));
  assert.equal(again.user.id, user.id);

  const refused = [
    await sign(provider.idToken(hashed, who), { nonce: "another" }),
    await sign(provider.idToken(undefined, { ...who, aud: "somebody-else" })),
    await sign(provider.idToken(undefined, { ...who, iss: "https://example.com" })),
    await sign(provider.idToken(undefined, { ...who, exp: 1 })),
    await sign("no.such.token"),
    await client().auth.signInWithIdToken({ provider: "facebook", token: provider.idToken() }),
  ];
  for (const { error } of refused) assert.equal(error.status, 400, error.message);
});

test("identities are linked, listed and unlinked, and the last one stays", async () => {
  const { supabase, user } = await newUser();
  const { auth } = supabase;
  const { url: address } = data(await auth.linkIdentity({ provider: name, options: { redirectTo: `${url}/done` } }));
  // The provider's one user is somebody else's already.
  const taken = await visit(address);
  assert.equal(taken.searchParams.get("error_code"), "identity_already_exists");

  const token = provider.idToken(undefined, stranger());
  assert.equal(data(await auth.linkIdentity({ provider: name, token })).user.id, user.id);
  const { identities } = data(await auth.getUserIdentities());
  assert.deepEqual(identities.map((identity) => identity.provider).sort(), ["email", name]);
  const { user: both } = data(await auth.getUser());
  assert.deepEqual(both.app_metadata.providers, ["email", name]);

  const find = (provider) => identities.find((identity) => identity.provider === provider);
  data(await auth.unlinkIdentity(find(name)));
  assert.equal((await auth.unlinkIdentity(find(name))).error.code, "identity_not_found");
  assert.equal((await auth.unlinkIdentity(find("email"))).error.code, "single_identity_not_deletable");
  assert.equal(data(await auth.getUserIdentities()).identities.length, 1);
});

test("an anonymous user becomes a permanent one, and keeps the id", async () => {
  const supabase = client();
  const { auth } = supabase;
  const { user } = data(await auth.signInAnonymously({ options: { data: { cart: 1 } } }));
  assert.equal(user.is_anonymous, true);
  assert.equal(data(await auth.getClaims()).claims.is_anonymous, true);
  const early = await auth.updateUser({ password });
  assert.equal(early.error.code, "validation_failed");

  const email = `once-anonymous-${randomUUID()}@example.com`;
  const changed = data(await auth.updateUser({ email, password }));
  assert.equal(changed.user.is_anonymous, false);
  data(await auth.refreshSession());
  assert.equal(data(await auth.getClaims()).claims.is_anonymous, false);
  const { user: same } = data(await client().auth.signInWithPassword({ email, password }));
  assert.equal(same.id, user.id);
  assert.equal(same.user_metadata.cart, 1);

  const other = client();
  const { user: guest } = data(await other.auth.signInAnonymously());
  const token = provider.idToken(undefined, stranger());
  const linked = data(await other.auth.linkIdentity({ provider: name, token }));
  assert.equal(linked.user.id, guest.id);
  assert.equal(linked.user.is_anonymous, false);
  data(await service().auth.admin.deleteUser(guest.id));
});
