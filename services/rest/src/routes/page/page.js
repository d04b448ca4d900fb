"use strict";
// The page of the REST API: asks for its description, and sends one request. The key stays in the
// field it was typed into.
const at = (id) => document.getElementById(id);
const base = new URL("..", location.href);
let paths = {};
let definitions = {};

const keyed = () => {
  const key = at("key").value.trim();
  // An opaque key is no token.
  return key.startsWith("sb_") ? { apikey: key } : { apikey: key, Authorization: `Bearer ${key}` };
};

function fill(select, values) {
  select.replaceChildren(...values.map((value) => new Option(value, value)));
}

function show() {
  const path = at("resource").value;
  const methods = Object.keys(paths[path] ?? {}).filter((name) => name !== "parameters");
  fill(at("method"), methods.map((name) => name.toUpperCase()));
  const first = paths[path]?.[methods[0]] ?? {};
  at("about").textContent = first.summary ?? first.description ?? "";
  const columns = Object.keys(definitions[path.slice(1)]?.properties ?? {});
  at("columns").textContent = columns.length > 0 ? `Columns: ${columns.join(", ")}` : "";
  change();
}

function change() {
  at("body").disabled = ["GET", "DELETE"].includes(at("method").value);
}

at("resource").addEventListener("change", show);
at("method").addEventListener("change", change);

at("connect").addEventListener("submit", async (event) => {
  event.preventDefault();
  at("state").textContent = "Asking…";
  try {
    const response = await fetch(base, { headers: { ...keyed(), Accept: "application/openapi+json" } });
    const description = await response.json();
    if (!response.ok) throw new Error(description.message ?? `status ${response.status}`);
    paths = description.paths ?? {};
    definitions = description.definitions ?? {};
    const names = Object.keys(paths).filter((name) => name !== "/");
    fill(at("resource"), names);
    at("state").textContent = `${names.length} tables, views and functions`;
    at("request").hidden = names.length === 0;
    if (names.length > 0) show();
  } catch (error) {
    at("request").hidden = true;
    at("state").textContent = `Not listed: ${error.message}`;
  }
});

at("request").addEventListener("submit", async (event) => {
  event.preventDefault();
  const method = at("method").value;
  const address = new URL(at("resource").value.slice(1).split("/").map(encodeURIComponent).join("/"), base);
  address.search = at("query").value.replace(/^\?/, "");
  const init = { method, headers: keyed() };
  if (!at("body").disabled && at("body").value.trim() !== "") {
    init.headers["Content-Type"] = "application/json";
    init.headers.Prefer = "return=representation";
    init.body = at("body").value;
  }
  at("answer").hidden = false;
  try {
    const started = performance.now();
    const response = await fetch(address, init);
    const text = await response.text();
    const took = Math.round(performance.now() - started);
    at("status").textContent = `${response.status} ${response.statusText} in ${took} ms`;
    at("headers").textContent = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    at("text").textContent = pretty(text);
  } catch (error) {
    at("status").textContent = "No answer";
    at("headers").textContent = "";
    at("text").textContent = error.message;
  }
});

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
