// Debian's Chromium without a window, driven by playwright-core; keeps what a page complained of and
// whom it asked.
import { accessSync, constants } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { chromium } from "playwright-core";
import { env, url } from "./instance.mjs";

function executable() {
  const folders = (process.env.PATH ?? "").split(":");
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    for (const folder of folders) {
      try {
        accessSync(`${folder}/${name}`, constants.X_OK);
        return `${folder}/${name}`;
      } catch {
        // The next one.
      }
    }
  }
  throw new Error("no Chromium in PATH: apt install chromium");
}

/**
 * Runs `work(page, seen)` in a browser of its own with an empty profile. `seen.complaints` are the
 * errors and warnings of the console and the uncaught exceptions so far, `seen.hosts` the set of
 * `host:port` it sent requests to. For the DevTools protocol (a virtual authenticator, for example):
 * `await page.context().newCDPSession(page)`.
 */
export async function withPage(work, options = {}) {
  const browser = await chromium.launch({
    executablePath: executable(),
    // Chromium has no sandbox for root; /dev/shm is small in containers.
    args: ["--disable-dev-shm-usage", ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])],
  });
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const seen = { complaints: [], hosts: new Set() };
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) seen.complaints.push(message.text());
    });
    page.on("pageerror", (error) => seen.complaints.push(String(error)));
    page.on("request", (request) => {
      if (/^(https?|wss?):/.test(request.url())) seen.hosts.add(new URL(request.url()).host);
    });
    return await work(page, seen);
  } finally {
    await browser.close();
  }
}

const packageFolder = dirname(createRequire(import.meta.url).resolve("@supabase/supabase-js/package.json"));

/** An empty page at `home`, which has to be of the instance's origin, with `addClient`'s client on it. */
export async function openHome(page, home) {
  await page.route(`${home}*`, (route) => route.fulfill({ contentType: "text/html", body: "<title>Home</title>" }));
  await page.goto(home);
  await addClient(page);
}

/** Puts the unmodified client of npm into the page, as `window.client`. */
export async function addClient(page, options = {}) {
  await page.addScriptTag({ path: join(packageFolder, "dist/umd/supabase.js") });
  await page.evaluate(([url, key, options]) => {
    window.client = window.supabase.createClient(url, key, options);
  }, [url, env.ANON_KEY, options]);
}
