// Every method of storage-js, unmodified, against a bucket of its own.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { Upload } from "tus-js-client";
import { client, env, newUser, service, sql, url } from "../lib/instance.mjs";

const must = ({ data, error }) => {
  assert.ifError(error);
  return data;
};

// A PNG of 8 by 4 pixels, red.
const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAECAIAAAA8r+mnAAAAEUlEQVR42mM4ISeHFTFQTwIAbv4ggT2otR8AAAAASUVORK5CYII=",
  "base64",
);

test("buckets: create, get, list, update, empty, delete", async () => {
  const { storage } = service();
  const name = `js-buckets-${process.pid}`;
  assert.deepEqual(must(await storage.createBucket(name, { public: false, fileSizeLimit: "1KB", allowedMimeTypes: ["text/*"] })), { name });
  const bucket = must(await storage.getBucket(name));
  assert.deepEqual([bucket.id, bucket.public, bucket.file_size_limit, bucket.allowed_mime_types], [name, false, 1000, ["text/*"]]);
  assert.ok(must(await storage.listBuckets()).some(({ id }) => id === name));
  const found = must(await storage.listBuckets({ search: name, limit: 1, sortColumn: "created_at", sortOrder: "desc" }));
  assert.deepEqual(found.map(({ id }) => id), [name]);
  const tooLarge = await storage.from(name).upload("a.txt", "x".repeat(1001), { contentType: "text/plain" });
  assert.equal(tooLarge.error.statusCode, "413");
  const otherType = await storage.from(name).upload("a.png", png, { contentType: "image/png" });
  assert.equal(otherType.error.statusCode, "415");
  must(await storage.updateBucket(name, { public: true, fileSizeLimit: null, allowedMimeTypes: null }));
  assert.equal(must(await storage.getBucket(name)).public, true);
  must(await storage.from(name).upload("a.png", png, { contentType: "image/png" }));
  assert.ok((await storage.deleteBucket(name)).error, "a bucket that is not empty stays");
  must(await storage.emptyBucket(name));
  must(await storage.deleteBucket(name));
  assert.equal((await storage.getBucket(name)).error.statusCode, "404");
});

test("objects: upload, update, info, exists, move, copy, list, download, remove", async () => {
  const name = `js-objects-${process.pid}`;
  must(await service().storage.createBucket(name));
  const bucket = service().storage.from(name);
  const up = must(await bucket.upload("f/a.txt", "one", { contentType: "text/plain", cacheControl: "60", metadata: { colour: "red" } }));
  assert.deepEqual([up.path, up.fullPath], ["f/a.txt", `${name}/f/a.txt`]);
  must(await bucket.update("f/a.txt", "two", { contentType: "text/plain", metadata: { colour: "blue" } }));
  const info = must(await bucket.info("f/a.txt"));
  assert.deepEqual([info.name, info.size, info.contentType, info.metadata], ["f/a.txt", 3, "text/plain", { colour: "blue" }]);
  assert.equal((await bucket.exists("f/a.txt")).data, true);
  assert.equal((await bucket.exists("f/none.txt")).data, false);
  must(await bucket.copy("f/a.txt", "f/b.txt"));
  must(await bucket.move("f/b.txt", "f/g/c.txt"));
  assert.equal(await must(await bucket.download("f/g/c.txt")).text(), "two");
  assert.equal(await new Response(must(await bucket.download("f/a.txt").asStream())).text(), "two");
  const listed = must(await bucket.list("f", { limit: 10, sortBy: { column: "name", order: "desc" } }));
  assert.deepEqual(listed.map((entry) => [entry.name, entry.id === null]), [["g", true], ["a.txt", false]]);
  assert.deepEqual(must(await bucket.list("f", { search: "A." })).map((entry) => entry.name), ["a.txt"]);
  const gone = must(await bucket.remove(["f/a.txt", "f/none.txt"]));
  assert.deepEqual(gone.map((entry) => entry.name), ["f/a.txt"]);
});

test("listV2 pages through folders and objects by its cursor", async () => {
  const name = `js-list-${process.pid}`;
  must(await service().storage.createBucket(name));
  const bucket = service().storage.from(name);
  for (const path of ["a", "b/1", "b/2", "c/3", "d"]) must(await bucket.upload(path, "x"));
  const seen = [];
  let cursor;
  do {
    const page = must(await bucket.listV2({ limit: 2, cursor, with_delimiter: true }));
    seen.push(...page.folders.map((entry) => entry.name), ...page.objects.map((entry) => entry.name));
    cursor = page.hasNext ? page.nextCursor : undefined;
  } while (cursor);
  assert.deepEqual(seen.sort(), ["a", "b/", "c/", "d"]);
  const under = must(await bucket.listV2({ prefix: "b/", sortBy: { column: "name", order: "desc" } }));
  assert.deepEqual(under.objects.map((entry) => entry.name), ["b/2", "b/1"]);
});

test("signed: download, several at once, upload", async () => {
  const name = `js-signed-${process.pid}`;
  must(await service().storage.createBucket(name));
  const bucket = service().storage.from(name);
  must(await bucket.upload("a.txt", "signed", { contentType: "text/plain" }));
  const { signedUrl } = must(await bucket.createSignedUrl("a.txt", 60, { download: "b.txt" }));
  const got = await fetch(signedUrl);
  assert.match(got.headers.get("content-disposition"), /b\.txt/);
  assert.equal(await got.text(), "signed");
  const many = must(await bucket.createSignedUrls(["a.txt", "none.txt"], 60));
  assert.equal(await (await fetch(many[0].signedUrl)).text(), "signed");
  assert.ok(many[1].error && !many[1].signedUrl);
  const { token, path } = must(await bucket.createSignedUploadUrl("up.txt"));
  must(await client().storage.from(name).uploadToSignedUrl(path, token, "by anybody"));
  assert.equal(await must(await bucket.download("up.txt")).text(), "by anybody");
  const again = await client().storage.from(name).uploadToSignedUrl(path, token, "twice");
  assert.equal(again.error.statusCode, "409");
});

test("images are rendered by public, authenticated and signed URLs", async () => {
  const name = `js-images-${process.pid}`;
  must(await service().storage.createBucket(name, { public: true }));
  const bucket = service().storage.from(name);
  must(await bucket.upload("a.png", png, { contentType: "image/png" }));
  const transform = { width: 4, height: 4, resize: "contain" };
  const width = async (response) => {
    assert.equal(response.status, 200);
    return Buffer.from(await response.arrayBuffer()).readUInt32BE(16);
  };
  const { publicUrl } = client().storage.from(name).getPublicUrl("a.png", { transform }).data;
  assert.equal(await width(await fetch(publicUrl)), 4);
  const { signedUrl } = must(await bucket.createSignedUrl("a.png", 60, { transform }));
  assert.equal(await width(await fetch(signedUrl)), 4);
  const blob = must(await bucket.download("a.png", { transform }));
  assert.equal(await width(new Response(blob)), 4);
  const webp = await fetch(publicUrl, { headers: { accept: "image/webp" } });
  assert.equal(webp.headers.get("content-type"), "image/webp");
  must(await bucket.purgeCache("a.png", { transformations: true }));
});

/** Uploads with tus-js-client; `options` come last. */
const tus = (body, metadata, options) =>
  new Promise((resolve, reject) => {
    const upload = new Upload(body, {
      endpoint: `${url}/storage/v1/upload/resumable`,
      chunkSize: 6 * 1024 * 1024,
      retryDelays: [0],
      metadata,
      onError: reject,
      onSuccess: () => resolve(upload),
      ...options,
    });
    upload.start();
  });

test("tus-js-client uploads, resumes, and is bound by policies", async () => {
  const name = `js-tus-${process.pid}`;
  must(await service().storage.createBucket(name));
  await sql(`create policy "own tus ${name}" on storage.objects for all to authenticated
    using (bucket_id = '${name}' and owner_id = auth.uid()::text)
    with check (bucket_id = '${name}' and owner_id = auth.uid()::text)`);
  const { supabase, session } = await newUser();
  const headers = { authorization: `Bearer ${session.access_token}`, "x-upsert": "true" };
  const body = randomBytes(13 * 1024 * 1024);
  const metadata = { bucketName: name, objectName: "f/large.bin", contentType: "application/octet-stream", cacheControl: "60" };
  const whole = await tus(body, metadata, { headers });
  assert.ok(whole.url.startsWith(`${url}/storage/v1/upload/resumable/`), whole.url);
  const got = Buffer.from(await must(await supabase.storage.from(name).download("f/large.bin")).arrayBuffer());
  assert.ok(got.equals(body));
  // Cut off after the first piece, then gone on with by its address.
  const cut = await new Promise((resolve, reject) => {
    const upload = new Upload(body, {
      endpoint: `${url}/storage/v1/upload/resumable`,
      chunkSize: 6 * 1024 * 1024,
      metadata: { ...metadata, objectName: "f/resumed.bin" },
      headers,
      onError: reject,
      onChunkComplete: () => upload.abort().then(() => resolve(upload.url)),
    });
    upload.start();
  });
  await tus(body, {}, { headers, uploadUrl: cut });
  const resumed = Buffer.from(await must(await supabase.storage.from(name).download("f/resumed.bin")).arrayBuffer());
  assert.ok(resumed.equals(body));
  const anon = { authorization: `Bearer ${env.ANON_KEY}` };
  await assert.rejects(tus(Buffer.from("x"), { ...metadata, objectName: "anon.bin" }, { headers: anon, retryDelays: [] }));
  const { token } = must(await supabase.storage.from(name).createSignedUploadUrl("signed.bin"));
  await tus(Buffer.from("signed"), { ...metadata, objectName: "signed.bin" }, {
    endpoint: `${url}/storage/v1/upload/resumable/sign`,
    headers: { "x-signature": token },
  });
  assert.equal(await must(await supabase.storage.from(name).download("signed.bin")).text(), "signed");
});
