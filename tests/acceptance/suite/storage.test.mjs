import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { client, env, newUser, service, sql, url } from "../lib/instance.mjs";
import { residentMiB } from "../lib/processes.mjs";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

test("50 MB go up and down unchanged, and memory stays flat", async () => {
  const bucket = `large-${process.pid}`;
  assert.ifError((await service().storage.createBucket(bucket, { public: false })).error);
  // What a first transfer takes for buffers and code it keeps; 50 MB must take no more than that.
  const small = randomBytes(5_000_000);
  assert.ifError((await service().storage.from(bucket).upload("small.bin", small)).error);
  assert.ifError((await service().storage.from(bucket).download("small.bin")).error);
  const body = randomBytes(50_000_000);
  const before = residentMiB();
  const uploaded = await service().storage.from(bucket).upload("folder/large.bin", body, {
    contentType: "application/octet-stream",
  });
  assert.ifError(uploaded.error);
  const { data, error } = await service().storage.from(bucket).download("folder/large.bin");
  assert.ifError(error);
  assert.equal(sha256(Buffer.from(await data.arrayBuffer())), sha256(body));
  const grown = residentMiB() - before;
  assert.ok(grown < 32, `resident memory grew by ${grown} MiB`);
});

test("policies decide who reads and writes a private bucket", async () => {
  const bucket = `private-${process.pid}`;
  assert.ifError((await service().storage.createBucket(bucket)).error);
  await sql(`create policy "own folder ${bucket}" on storage.objects for all to authenticated
    using (bucket_id = '${bucket}' and (storage.foldername(name))[1] = auth.uid()::text)
    with check (bucket_id = '${bucket}' and (storage.foldername(name))[1] = auth.uid()::text)`);
  const [ada, bob] = [await newUser(), await newUser()];
  const path = `${ada.user.id}/note.txt`;
  const up = await ada.supabase.storage.from(bucket).upload(path, "hello", { contentType: "text/plain" });
  assert.ifError(up.error);
  assert.equal(up.data.fullPath, `${bucket}/${path}`);
  assert.equal(await (await ada.supabase.storage.from(bucket).download(path)).data.text(), "hello");
  for (const other of [bob.supabase, client()]) {
    assert.ok((await other.storage.from(bucket).download(path)).error);
    assert.ok((await other.storage.from(bucket).upload(`${ada.user.id}/mine.txt`, "x")).error);
    const removed = await other.storage.from(bucket).remove([path]);
    assert.deepEqual(removed.data ?? [], []);
  }
  const twice = await ada.supabase.storage.from(bucket).upload(path, "again");
  assert.equal(twice.error.statusCode, "409");
  const replaced = await ada.supabase.storage.from(bucket).upload(path, "again", { upsert: true });
  assert.ifError(replaced.error);
  const listed = await ada.supabase.storage.from(bucket).list(ada.user.id);
  assert.deepEqual(listed.data.map((entry) => entry.name), ["note.txt"]);
  const signed = await ada.supabase.storage.from(bucket).createSignedUrl(path, 60);
  assert.ifError(signed.error);
  assert.equal(await (await fetch(signed.data.signedUrl)).text(), "again");
  assert.ifError((await ada.supabase.storage.from(bucket).remove([path])).error);
});

test("a public bucket is read by its URL without any key", async () => {
  const bucket = `public-${process.pid}`;
  assert.ifError((await service().storage.createBucket(bucket, { public: true })).error);
  const up = await service().storage.from(bucket).upload("a b/ünïcode.txt".normalize("NFC").replaceAll("ü", "u").replaceAll("ï", "i"), "open", { contentType: "text/plain" });
  assert.ifError(up.error);
  const { data } = client().storage.from(bucket).getPublicUrl(up.data.path);
  const response = await fetch(data.publicUrl);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  assert.equal(await response.text(), "open");
  const part = await fetch(data.publicUrl, { headers: { range: "bytes=1-2" } });
  assert.equal(part.status, 206);
  assert.equal(await part.text(), "pe");
  assert.ok((await client().storage.from(bucket).upload("anon.txt", "x")).error, "public is for reading");
});

test("paths never leave the bucket", async () => {
  for (const path of ["../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "..%2f..%2fetc%2fpasswd"]) {
    const response = await fetch(`${url}/storage/v1/object/public/x/${path}`);
    assert.ok(response.status >= 400 && response.status < 500, `${path}: ${response.status}`);
    assert.ok(!(await response.text()).includes("root:"));
  }
});

test("anon lists public buckets of /api/v1 and uploads to them", async () => {
  const anon = { apikey: env.ANON_KEY };
  const { supabase, session } = await newUser();
  const user = { authorization: `Bearer ${session.access_token}`, "content-type": "application/json" };
  const create = (name, is_public) => fetch(`${url}/api/v1/buckets`, {
    method: "POST", headers: user, body: JSON.stringify({ name, is_public }),
  });
  const [open, closed] = [`open-${process.pid}`, `closed-${process.pid}`];
  for (const [name, flag] of [[open, true], [closed, false]]) {
    assert.ok((await create(name, flag)).ok);
  }
  const names = async (headers, path) =>
    (await (await fetch(`${url}/api/v1/${path}`, { headers })).json()).map((bucket) => bucket.name);
  const listed = await names(anon, "buckets/public");
  assert.ok(listed.includes(open) && !listed.includes(closed));
  assert.ok(!(await names(anon, "buckets")).includes(closed));
  assert.ok((await names(user, "buckets")).includes(closed));
  assert.ifError((await client().storage.from(open).upload("anon.txt", "hi")).error);
  assert.ok((await client().storage.from(closed).upload("anon.txt", "hi")).error);
  assert.ifError((await supabase.storage.from(closed).upload("own.txt", "hi")).error);
});
