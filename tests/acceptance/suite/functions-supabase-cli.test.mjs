// Supabase's command line, unmodified, against the management routes. Each call of it computes for
// more than a second before it asks anything, so what is independent runs side by side.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { env, until, url } from "../lib/instance.mjs";

const project = mkdtempSync(join(tmpdir(), "selfdb-supabase-"));
// The program itself: the package that starts it asks for the programs of every machine.
const command = fileURLToPath(new URL("../node_modules/@supabase/cli-linux-x64/bin/supabase", import.meta.url));
const skip = existsSync(command) ? false : "there is no such program for this machine among the packages";
const names = ["acc-sb-plain", "acc-sb-mapped", "acc-sb-page"];

function write(path, text) {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), text);
}

/** What the command says, on both of its outputs; rejects where it fails. */
async function supabase(...args) {
  const profile = ["--profile", join(project, "profile.yaml"), "--yes", "--workdir", project];
  const options = {
    cwd: project,
    env: {
      PATH: process.env.PATH,
      HOME: project,
      SUPABASE_HOME: join(project, "home"),
      SUPABASE_ACCESS_TOKEN: env.FUNCTIONS_ACCESS_TOKEN,
      SUPABASE_TELEMETRY_DISABLED: "1",
      SUPABASE_NO_KEYRING: "1",
      SUPABASE_NO_UPDATE_NOTIFIER: "1",
    },
  };
  const { stdout, stderr } = await promisify(execFile)(command, [...args, "--remote=abcdefghijklmnopqrst", ...profile], options);
  return stdout + stderr;
}

const ask = async (name) => {
  const answer = await fetch(`${url}/functions/v1/${name}`, { headers: { authorization: `Bearer ${env.ANON_KEY}` } });
  return answer.status === 200 ? answer.text() : answer.status;
};

before(() => {
  write("profile.yaml", `name: selfdb\napi_url: ${url}\ndashboard_url: ${url}\nproject_host: localhost\n`);
  write("supabase/config.toml", `project_id = "acceptance"
    [functions.acc-sb-plain]
    verify_jwt = false
    [functions.acc-sb-mapped]
    import_map = "./functions/maps/words.json"
    [functions.acc-sb-page]
    entrypoint = "./functions/acc-sb-page/main.ts"
    static_files = ["./functions/acc-sb-page/*.html"]`);
  write("supabase/functions/_shared/word.ts", 'export const word = "shared";');
  write("supabase/functions/maps/words.json", '{ "imports": { "word": "../_shared/word.ts" } }');
  write("supabase/functions/acc-sb-plain/deno.json", '{ "imports": { "word": "../_shared/word.ts" } }');
  write("supabase/functions/acc-sb-plain/index.ts", `import "jsr:@supabase/functions-js/edge-runtime.d.ts";
    import { word } from "word";
    Deno.serve(() => new Response(word + " " + (Deno.env.get("ACC_SB_SECRET") ?? "nothing")));`);
  write("supabase/functions/acc-sb-mapped/index.ts", 'import { word } from "word"; Deno.serve(() => new Response("mapped " + word));');
  write("supabase/functions/acc-sb-page/main.ts", `const page = await Deno.readTextFile(new URL("./page.html", import.meta.url));
    Deno.serve(() => new Response(page));`);
  write("supabase/functions/acc-sb-page/page.html", "<h1>page</h1>");
});

after(async () => {
  const headers = { authorization: `Bearer ${env.SERVICE_ROLE_KEY}` };
  await Promise.all(names.map((name) => fetch(`${url}/api/v1/functions/${name}`, { method: "DELETE", headers })));
  rmSync(project, { recursive: true, force: true });
});

test("a project is deployed as it is, without bundling, and listed", { skip }, async () => {
  await supabase("functions", "deploy", "--use-api");
  assert.deepEqual(await Promise.all(names.map(ask)), ["shared nothing", "mapped shared", "<h1>page</h1>"]);
  const open = await fetch(`${url}/functions/v1/acc-sb-plain`);
  assert.equal(open.status, 200);
  assert.equal((await fetch(`${url}/functions/v1/acc-sb-mapped`)).status, 401);
  const listed = await supabase("functions", "list");
  for (const name of names) assert.match(listed, new RegExp(`${name} .* ACTIVE `));
});

// Each has a function of its own among those deployed above.
describe("what follows a deploy", { concurrency: true, skip }, () => {
  test("secrets are set from arguments and files, listed as digests, and unset", async () => {
    write("secrets.env", "ACC_SB_FILE=from a file\n");
    await supabase("secrets", "set", "ACC_SB_SECRET=hush", "--env-file", join(project, "secrets.env"));
    await until("the secret is there", async () => (await ask("acc-sb-plain")) === "shared hush", 20);
    const listed = await supabase("secrets", "list");
    assert.match(listed, /ACC_SB_SECRET +\| [0-9a-f]{64}/);
    assert.match(listed, /ACC_SB_FILE /);
    assert.doesNotMatch(listed, /hush|from a file/);
    await supabase("secrets", "unset", "ACC_SB_SECRET", "ACC_SB_FILE");
    await until("the secret is gone", async () => (await ask("acc-sb-plain")) === "shared nothing", 20);
  });

  test("a broken deploy says where and leaves the old version serving", async () => {
    write("supabase/functions/acc-sb-page/main.ts", "Deno.serve(() => {");
    await assert.rejects(supabase("functions", "deploy", "acc-sb-page", "--use-api"), /acc-sb-page\/main\.ts:1:\d+/);
    assert.equal(await ask("acc-sb-page"), "<h1>page</h1>");
  });

  test("what was deployed is downloaded, overridden by flags and deleted", async () => {
    const files = "supabase/functions";
    const paths = ["acc-sb-mapped/index.ts", "maps/words.json", "_shared/word.ts"].map((path) => join(project, files, path));
    const sent = paths.map((path) => readFileSync(path, "utf8"));
    paths.forEach((path) => rmSync(path));
    await supabase("functions", "download", "acc-sb-mapped", "--use-api");
    assert.deepEqual(paths.map((path) => existsSync(path) && readFileSync(path, "utf8")), sent);
    write(`${files}/maps/more.json`, '{ "imports": { "word": "../more.ts" } }');
    write(`${files}/more.ts`, 'export const word = "more";');
    const more = ["--import-map", join(project, files, "maps/more.json"), "--no-verify-jwt"];
    await supabase("functions", "deploy", "acc-sb-mapped", "--use-api", ...more);
    assert.equal(await (await fetch(`${url}/functions/v1/acc-sb-mapped`)).text(), "mapped more");
    await supabase("functions", "delete", "acc-sb-mapped");
    assert.equal(await ask("acc-sb-mapped"), 404);
    await assert.rejects(supabase("functions", "delete", "acc-sb-mapped"), /does not exist/);
  });
});
