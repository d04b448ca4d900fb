// Runs the README's tour word for word: every bash and javascript block, in order.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { envFile } from "../lib/instance.mjs";

const root = resolve(import.meta.dirname, "../../..");

function tour() {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const section = readme.split(/^## A five-minute tour$/m)[1]?.split(/^## /m)[0];
  assert.ok(section, "the README has a tour");
  return [...section.matchAll(/```(bash|javascript)\n([\s\S]*?)```/g)].map(([, language, code]) => ({ language, code }));
}

test("the README's tour runs", () => {
  const folder = mkdtempSync(join(tmpdir(), "selfdb-tour-"));
  symlinkSync(resolve(envFile), join(folder, ".env"));
  symlinkSync(join(import.meta.dirname, "../node_modules"), join(folder, "node_modules"));
  const blocks = tour();
  assert.ok(blocks.length >= 6, "the tour has its commands");
  const script = ["set -euo pipefail"];
  blocks.forEach(({ language, code }, index) => {
    if (language === "bash") {
      script.push(code.replace(/^npm install .*$/m, ":"));
    } else {
      writeFileSync(join(folder, `tour-${index}.mjs`), code);
      script.push(`node tour-${index}.mjs`);
    }
  });
  const run = spawnSync("bash", ["-c", script.join("\n")], { cwd: folder, encoding: "utf8", timeout: 60_000 });
  assert.equal(run.status, 0, `${run.stdout}\n${run.stderr}`);
  assert.match(run.stdout, /Hello from SelfDB function!/);
});
