import assert from "node:assert/strict";
import { test } from "node:test";
import { withPage } from "../lib/chromium.mjs";
import { env, sql, untilExposed, url } from "../lib/instance.mjs";

const table = `tried_${process.pid}`;

test("the page to try REST on lists tables and sends a request", async () => {
  await sql(`create table ${table} (id int primary key, title text); insert into ${table} values (1, 'first')`);
  await untilExposed(table);
  try {
    await withPage(async (page, seen) => {
      await page.goto(`${url}/rest/v1/-/`);
      await page.getByLabel("API key or token").fill(env.SERVICE_ROLE_KEY);
      await page.getByRole("button", { name: "List what it may use" }).click();
      await page.getByLabel("Table, view or function").selectOption(`/${table}`);
      await page.getByLabel("Query").fill("select=title&id=eq.1");
      await page.getByRole("button", { name: "Send" }).click();
      await page.getByRole("heading", { name: /^200/ }).waitFor();
      assert.deepEqual(JSON.parse(await page.locator("#text").textContent()), [{ title: "first" }]);
      assert.deepEqual(seen.complaints, []);
      assert.deepEqual([...seen.hosts], [new URL(url).host]);
    });
  } finally {
    await sql(`drop table ${table}`);
  }
});
