// The helper of sample-apps/realtime-resume, with an unmodified client.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import WebSocket from "ws";
import { client, env, newUser, until } from "../lib/instance.mjs";
import { createTodos } from "../lib/todos.mjs";

const table = `todos_resume_${process.pid}`;
const folder = mkdtempSync(join(tmpdir(), "resume-"));
let resumable;

before(async () => {
  await createTodos(table);
  const source = readFileSync(new URL("../../../sample-apps/realtime-resume/resume.ts", import.meta.url), "utf8");
  const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  const file = join(folder, "resume.mjs");
  const { outputText, diagnostics } = ts.transpileModule(source, { compilerOptions: options, reportDiagnostics: true });
  assert.deepEqual(diagnostics, []);
  writeFileSync(file, outputText);
  ({ resumable } = await import(pathToFileURL(file)));
});
after(() => rmSync(folder, { recursive: true }));

for (const vsn of ["1.0.0", "2.0.0"]) {
  test(`what was missed while the connection was away arrives once (protocol ${vsn})`, async () => {
    const { supabase: writer, session } = await newUser();
    const sockets = [];
    class Kept extends WebSocket {
      constructor(...args) {
        super(...args);
        sockets.push(this);
      }
    }
    const transport = resumable(Kept);
    const supabase = client(env.ANON_KEY, { realtime: { vsn, transport, reconnectAfterMs: () => 1500 } });
    assert.ifError((await supabase.auth.setSession(session)).error);
    const titles = [];
    const system = [];
    let joined = 0;
    supabase.channel(`resume-${vsn}`)
      .on("postgres_changes", { event: "INSERT", schema: "public", table }, ({ new: row }) => titles.push(row.title))
      .on("system", {}, (message) => system.push(message))
      .subscribe((status) => { if (status === "SUBSCRIBED") joined += 1; });
    await until("it is subscribed", () => joined === 1);
    const write = async (from, to) => {
      for (let n = from; n < to; n += 1) assert.ifError((await writer.from(table).insert({ title: `${vsn} ${n}` })).error);
    };
    await write(0, 3);
    await until("3 arrive", () => titles.length === 3);
    sockets.at(-1).terminate();
    await write(3, 8);
    await until("it is subscribed again", () => joined === 2);
    await write(8, 10);
    await until("all arrive", () => titles.length >= 10);
    await until("it is told so", () => system.some(({ extension, status }) => extension === "resume" && status === "ok"));
    assert.deepEqual(titles, Array.from({ length: 10 }, (_, n) => `${vsn} ${n}`));
    await supabase.removeAllChannels();
  });
}

test("a token that is not known any more is answered with resync_required", async () => {
  const { session } = await newUser();
  const tokens = new Map([["realtime:lost", "1-1-1"]]);
  const supabase = client(env.ANON_KEY, { realtime: { transport: resumable(WebSocket, tokens) } });
  await supabase.realtime.setAuth(session.access_token);
  const system = [];
  supabase.channel("lost")
    .on("postgres_changes", { event: "*", schema: "public", table }, () => {})
    .on("system", {}, (message) => system.push(message))
    .subscribe();
  await until("it is said", () => system.some(({ extension, message }) => extension === "resume" && message === "resync_required"));
  assert.notEqual(tokens.get("realtime:lost"), "1-1-1");
  await supabase.removeAllChannels();
});
