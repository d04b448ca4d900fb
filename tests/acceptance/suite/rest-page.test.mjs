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
      assert.equal(await page.getByRole("cell", { name: "first", exact: true }).textContent(), "first");

      await page.getByLabel("Method").selectOption("POST");
      assert.deepEqual(JSON.parse(await page.getByLabel("Body (JSON)").inputValue()), { title: "" });
      await page.getByLabel("Query").fill("");
      await page.getByLabel("Body (JSON)").fill('{"id": 2, "title": "<b>second</b>"}');
      await page.getByRole("button", { name: "Send" }).click();
      await page.getByRole("heading", { name: /^201/ }).waitFor();
      assert.equal(await page.getByRole("cell", { name: "<b>second</b>" }).count(), 1);
      assert.doesNotMatch(await page.locator("#curl").textContent(), new RegExp(env.SERVICE_ROLE_KEY));
      await page.getByRole("button", { name: "Send" }).click();
      await page.getByRole("heading", { name: /^409/ }).waitFor();
      assert.match(await page.locator("#text").textContent(), /23505/);

      await page.getByLabel("Find").fill(table.slice(0, 8));
      assert.equal(await page.locator("#resource option").count(), 1);
      await page.getByLabel("API key or token").fill("nonsense");
      await page.getByRole("button", { name: "List what it may use" }).click();
      await page.getByText(/^Not listed/).waitFor();
      // What is refused is told in the console too, by the browser itself.
      const others = seen.complaints.filter((text) => !/Failed to load resource.*(409|401)/.test(text));
      assert.deepEqual(others, []);
      assert.deepEqual([...seen.hosts], [new URL(url).host]);
    });
  } finally {
    await sql(`drop table ${table}`);
  }
});
