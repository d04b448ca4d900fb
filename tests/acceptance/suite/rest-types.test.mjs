import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { env, sql, until, url } from "../lib/instance.mjs";

const modules = join(dirname(fileURLToPath(import.meta.url)), "..", "node_modules");
const table = `typed_${process.pid}`;

const PROGRAM = `
import { createClient } from "@supabase/supabase-js";
import { Constants, type Database, type Enums, type Tables, type TablesInsert } from "./database.types";

const supabase = createClient<Database>("http://localhost", "key");
type Row = Tables<"TABLE">;
export const mood: Enums<"TABLE_mood"> = Constants.public.Enums["TABLE_mood"][0];
export const fresh: TablesInsert<"TABLE"> = { title: "x" };
export async function run() {
  const { data } = await supabase.from("TABLE").select("id, title, mood, parent:TABLE_parents(name)").single();
  const title: string = data!.title;
  const name: string | undefined = data!.parent?.name;
  const rows: { data: Row[] | null } = await supabase.from("TABLE").select();
  const { data: sum } = await supabase.rpc("TABLE_add", { a: 1 });
  const total: number = sum!;
  await supabase.from("TABLE").insert({ title: "y", mood: "ok" });
  return { title, name, rows, total };
}
`;

/** What the compiler says of a program next to the generated types. */
function check(folder, name, text) {
  const file = join(folder, `${name}.ts`);
  writeFileSync(file, text.replaceAll("TABLE", table));
  const program = ts.createProgram([file], {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: [],
  });
  const found = ts.getPreEmitDiagnostics(program);
  return found.map((one) => `TS${one.code} ${ts.flattenDiagnosticMessageText(one.messageText, " ")}`);
}

test("generated types compile with supabase-js and know the columns", async () => {
  await sql(`
    create type ${table}_mood as enum ('sad', 'ok');
    create table ${table}_parents (id int primary key, name text not null);
    create table ${table} (
      id bigint primary key generated always as identity, title text not null,
      mood ${table}_mood not null default 'ok', parent_id int references ${table}_parents);
    create function ${table}_add(a int, b int default 1) returns int language sql as 'select a + b';
  `);
  const headers = { apikey: env.SERVICE_ROLE_KEY };
  let types = "";
  await until("the types have the new table, its key and the function", async () => {
    const response = await fetch(`${url}/rest/v1/types.ts`, { headers });
    assert.equal(response.status, 200);
    types = await response.text();
    return types.includes(`${table}_parent_id_fkey`) && types.includes(`${table}_add: {`);
  });
  const folder = mkdtempSync(join(tmpdir(), "selfdb-types-"));
  try {
    symlinkSync(modules, join(folder, "node_modules"));
    writeFileSync(join(folder, "database.types.ts"), types);
    assert.deepEqual(check(folder, "right", PROGRAM), []);
    const wrong = check(folder, "wrong", PROGRAM.replace('insert({ title: "y"', 'insert({ titel: "y"'));
    assert.equal(wrong.length, 1, wrong.join("\n"));
    assert.match(wrong[0], /titel/);
    const mistyped = check(folder, "mistyped", PROGRAM.replace('mood: "ok" }', 'mood: "glad" }'));
    assert.match(mistyped.join("\n"), /glad/);
    const missing = check(folder, "missing", PROGRAM.replace("data!.title", "data!.subtitle"));
    assert.match(missing.join("\n"), /subtitle/);
  } finally {
    rmSync(folder, { recursive: true });
    await sql(`drop function ${table}_add; drop table ${table}, ${table}_parents; drop type ${table}_mood`);
  }
});
