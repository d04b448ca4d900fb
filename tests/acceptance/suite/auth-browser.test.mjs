// What auth-js does in a browser only: passkeys and security keys, with an authenticator that
// Chromium makes up, and signing in at another provider.
import assert from "node:assert/strict";
import { test } from "node:test";
import { addClient, openHome, withPage } from "../lib/chromium.mjs";
import { identityProvider } from "../lib/identity-provider.mjs";
import { env, newUser, service, url } from "../lib/instance.mjs";

const home = `${url}/browser-test`;

async function addAuthenticator(page, transport) {
  const devTools = await page.context().newCDPSession(page);
  await devTools.send("WebAuthn.enable");
  await devTools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2", transport, hasResidentKey: true, hasUserVerification: true,
      isUserVerified: true, automaticPresenceSimulation: true,
    },
  });
}

const adopt = (page, { access_token, refresh_token }) =>
  page.evaluate((session) => window.client.auth.setSession(session), { access_token, refresh_token });

test("a passkey is registered, signed in with, renamed and given up", async () => {
  const { session, user } = await newUser();
  await withPage(async (page) => {
    await openHome(page, home);
    await addAuthenticator(page, "internal");
    await adopt(page, session);
    const made = await page.evaluate(() => window.client.auth.registerPasskey());
    assert.equal(made.error, null);
    assert.ok(made.data.id);

    await page.evaluate(() => window.client.auth.signOut({ scope: "local" }));
    const signedIn = await page.evaluate(() => window.client.auth.signInWithPasskey());
    assert.equal(signedIn.error, null);
    assert.equal(signedIn.data.user.id, user.id);
    const claims = await page.evaluate(() => window.client.auth.getClaims());
    assert.deepEqual(claims.data.claims.amr.map(({ method }) => method), ["passkey"]);

    const passkeyId = made.data.id;
    const renamed = await page.evaluate((passkeyId) =>
      window.client.auth.passkey.update({ passkeyId, friendlyName: "laptop" }), passkeyId);
    assert.equal(renamed.data.friendly_name, "laptop");
    const listed = await page.evaluate(() => window.client.auth.passkey.list());
    assert.deepEqual(listed.data.map(({ id, friendly_name }) => [id, friendly_name]), [[passkeyId, "laptop"]]);
    assert.ok(listed.data[0].last_used_at);
    const { data: seen } = await service().auth.admin.passkey.listPasskeys({ userId: user.id });
    assert.deepEqual(seen.map(({ id }) => id), [passkeyId]);

    const removed = await page.evaluate((passkeyId) => window.client.auth.passkey.delete({ passkeyId }), passkeyId);
    assert.equal(removed.error, null);
    const refused = await page.evaluate(async () => (await window.client.auth.signInWithPasskey()).error.code);
    assert.equal(refused, "webauthn_verification_failed");
  });
});

test("a security key is a second factor", async () => {
  const { session, email } = await newUser();
  await withPage(async (page) => {
    await openHome(page, home);
    await addAuthenticator(page, "usb");
    await adopt(page, session);
    const made = await page.evaluate(() => window.client.auth.mfa.webauthn.register({ friendlyName: "key" }));
    assert.equal(made.error, null);
    const level = () => page.evaluate(() => window.client.auth.mfa.getAuthenticatorAssuranceLevel());
    assert.equal((await level()).data.currentLevel, "aal2");

    await page.evaluate((email) => window.client.auth.signInWithPassword({
      email, password: "correct horse battery 9",
    }), email);
    assert.deepEqual([(await level()).data.currentLevel, (await level()).data.nextLevel], ["aal1", "aal2"]);
    const factors = await page.evaluate(() => window.client.auth.mfa.listFactors());
    const [{ id: factorId, friendly_name }] = factors.data.webauthn;
    assert.equal(friendly_name, "key");
    const shown = await page.evaluate((factorId) => window.client.auth.mfa.webauthn.authenticate({ factorId }), factorId);
    assert.equal(shown.error, null);
    assert.equal((await level()).data.currentLevel, "aal2");
  });
});

test("a sign-in at another provider ends on the page that began it", async () => {
  const provider = await identityProvider(new URL(env.GOTRUE_EXTERNAL_OIDC_URL), {
    clientId: env.GOTRUE_EXTERNAL_OIDC_CLIENT_ID,
    secret: env.GOTRUE_EXTERNAL_OIDC_SECRET,
    user: { sub: `ada-${process.pid}`, email: `ada-${process.pid}-${env.API_PORT}@example.com`, email_verified: true, name: "Ada" },
  });
  try {
    await withPage(async (page) => {
      await openHome(page, home);
      await page.evaluate((redirectTo) =>
        window.client.auth.signInWithOAuth({ provider: "oidc", options: { redirectTo } }), home);
      await page.getByRole("link", { name: "Sign in as Ada" }).click();
      await page.waitForURL(`${home}**`);
      await addClient(page);
      const { data: { session } } = await page.evaluate(() => window.client.auth.getSession());
      assert.equal(session.user.email, provider.user.email);
      assert.equal(session.user.app_metadata.provider, "oidc");
      assert.equal(session.user.user_metadata.name, "Ada");
      assert.ok(session.provider_token);
    });
  } finally {
    provider.close();
  }
});
