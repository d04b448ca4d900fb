// Users known by a phone number, and phones as second factors. The instance's configuration gives
// three numbers codes of their own: nothing is sent to them.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { client, env, newUser, password, service, sql } from "../lib/instance.mjs";

const codes = new Map(env.GOTRUE_SMS_TEST_OTP.split(",").map((pair) => pair.split("=")));
const [first, second, third] = codes.keys();

function data(answer) {
  assert.ifError(answer.error);
  return answer.data;
}

before(() => sql("delete from auth.users where phone = any($1)", [[first, second, third]]));

test("a number is confirmed by its code, and signs in by a password", async () => {
  const phone = `+${first}`;
  const waiting = data(await client().auth.signUp({ phone, password }));
  assert.equal(waiting.session, null);
  const early = await client().auth.signInWithPassword({ phone, password });
  assert.equal(early.error.code, "phone_not_confirmed");
  data(await client().auth.resend({ type: "sms", phone }));
  const wrong = await client().auth.verifyOtp({ type: "sms", phone, token: "000000" });
  assert.equal(wrong.error.code, "otp_expired");
  const { user } = data(await client().auth.verifyOtp({ type: "sms", phone, token: codes.get(first) }));
  assert.equal(user.phone, first);
  assert.ok(user.phone_confirmed_at);
  const { user: same } = data(await client().auth.signInWithPassword({ phone, password }));
  assert.equal(same.id, user.id);
});

test("a code signs in by a number, which its user changes", async () => {
  const supabase = client();
  data(await supabase.auth.signInWithOtp({ phone: `+${second}` }));
  const { user } = data(await supabase.auth.verifyOtp({ type: "sms", phone: second, token: codes.get(second) }));
  const none = await client().auth.signInWithOtp({ phone: third, options: { shouldCreateUser: false } });
  assert.equal(none.error.code, "otp_disabled");

  const { user: waiting } = data(await supabase.auth.updateUser({ phone: third }));
  assert.equal(waiting.phone, second);
  assert.equal(waiting.new_phone, third);
  const { user: changed } = data(await supabase.auth.verifyOtp({
    type: "phone_change", phone: third, token: codes.get(third),
  }));
  assert.equal(changed.id, user.id);
  assert.equal(changed.phone, third);
  data(await service().auth.admin.deleteUser(user.id));
});

test("a phone is a second factor", async () => {
  const { supabase } = await newUser();
  const { mfa } = supabase.auth;
  const { id: factorId, phone } = data(await mfa.enroll({ factorType: "phone", phone: `+${second}`, friendlyName: "phone" }));
  assert.equal(phone, second);
  const { id: challengeId } = data(await mfa.challenge({ factorId, channel: "sms" }));
  const wrong = await mfa.verify({ factorId, challengeId, code: "000000" });
  assert.equal(wrong.error.code, "mfa_verification_failed");
  data(await mfa.verify({ factorId, challengeId, code: codes.get(second) }));
  data(await mfa.challengeAndVerify({ factorId, code: codes.get(second) }));
  assert.equal(data(await mfa.getAuthenticatorAssuranceLevel()).currentLevel, "aal2");
  assert.equal(data(await mfa.listFactors()).phone.length, 1);
});
