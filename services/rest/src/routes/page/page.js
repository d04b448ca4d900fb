"use strict";
// The page of the REST API: asks for its description, and sends one request. The key stays in the
// field it was typed into.
const at = (id) => document.getElementById(id);
const base = new URL("..", location.href);
let paths = {};
let definitions = {};
let suggested = "";
at("base").textContent = base.href;

const keyed = () => {
  const key = at("key").value.trim();
  // An opaque key is no token.
  return key.startsWith("sb_") ? { apikey: key } : { apikey: key, Authorization: `Bearer ${key}` };
};

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function row(cells) {
  const made = document.createElement("tr");
  made.append(...cells);
  return made;
}

/** The paths whose name has in it what is looked for, functions after tables. */
function list() {
  const wanted = at("find").value.trim().toLowerCase();
  const names = Object.keys(paths).filter((path) => path !== "/" && path.toLowerCase().includes(wanted));
  const chosen = at("resource").value;
  const groups = [["Tables and views", (path) => !path.startsWith("/rpc/")], ["Functions", (path) => path.startsWith("/rpc/")]];
  at("resource").replaceChildren(...groups.flatMap(([label, fits]) => {
    const options = names.filter(fits).sort().map((path) => new Option(path.replace(/^\/(rpc\/)?/, ""), path));
    if (options.length === 0) return [];
    const group = document.createElement("optgroup");
    group.label = label;
    group.append(...options);
    return [group];
  }));
  if (names.includes(chosen)) at("resource").value = chosen;
  else at("resource").selectedIndex = names.length > 0 ? 0 : -1;
  show();
}

/** What is known of one column or argument, to show it and to suggest a value. */
const notes = (property) =>
  (property.description ?? "").replace(/<[^>]*>/g, "").replace(/^Note:\s*/m, "").trim();

/** The arguments of a function, or the columns of a table. */
function properties(path) {
  if (!path.startsWith("/rpc/")) return definitions[path.slice(1)]?.properties ?? {};
  const body = paths[path]?.post?.parameters?.find((parameter) => parameter.in === "body");
  return body?.schema?.properties ?? {};
}

function show() {
  const path = at("resource").value;
  const methods = Object.keys(paths[path] ?? {}).filter((name) => name !== "parameters");
  at("method").replaceChildren(...methods.map((name) => new Option(name.toUpperCase())));
  const first = paths[path]?.[methods[0]] ?? {};
  at("about").textContent = [first.summary, first.description].filter(Boolean).join("\n");
  const known = Object.entries(properties(path));
  at("fields").hidden = known.length === 0;
  at("fields").firstElementChild.textContent = path.startsWith("/rpc/") ? "Arguments" : "Columns";
  at("columns").replaceChildren(...known.map(([name, property]) =>
    row([element("td", name), element("td", property.format ?? property.type ?? "", "type"), element("td", notes(property), "note")])));
  at("query").value = path.startsWith("/rpc/") || !path ? "" : "select=*&limit=10";
  change();
}

/** An object to begin with: what has no default and is no key that Postgres gives. */
function suggestion(path) {
  const examples = { integer: 0, number: 0, boolean: false, array: [] };
  const needed = Object.entries(properties(path)).filter(([, property]) =>
    property.default === undefined && !/<pk\/>/.test(property.description ?? ""));
  return JSON.stringify(Object.fromEntries(needed.map(([name, property]) => [name, examples[property.type] ?? ""])), null, 2);
}

function change() {
  const method = at("method").value;
  const path = at("resource").value;
  at("payload").hidden = ["GET", "DELETE", ""].includes(method);
  if (["PATCH", "DELETE"].includes(method) && /^select=\*&limit=10$/.test(at("query").value)) at("query").value = "id=eq.1";
  if (at("body").value === suggested) {
    suggested = at("payload").hidden ? "" : suggestion(path);
    at("body").value = suggested;
  }
}

at("resource").addEventListener("change", show);
at("method").addEventListener("change", change);
at("find").addEventListener("input", list);

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
    at("state").textContent = `${names.length} tables, views and functions`;
    at("work").hidden = names.length === 0;
    list();
  } catch (error) {
    at("work").hidden = true;
    at("state").textContent = `Not listed: ${error.message}`;
  }
});

at("request").addEventListener("submit", async (event) => {
  event.preventDefault();
  const method = at("method").value;
  const address = new URL(at("resource").value.slice(1).split("/").map(encodeURIComponent).join("/"), base);
  address.search = at("query").value.replace(/^\?/, "");
  const init = { method, headers: keyed() };
  if (!at("payload").hidden && at("body").value.trim() !== "") {
    init.headers["Content-Type"] = "application/json";
    init.headers.Prefer = "return=representation";
    init.body = at("body").value;
  }
  at("curl").textContent = curl(address, init);
  at("answer").hidden = false;
  try {
    const started = performance.now();
    const response = await fetch(address, init);
    const text = await response.text();
    const took = Math.round(performance.now() - started);
    answer(`${response.status} ${response.statusText} in ${took} ms`, response.ok, response.headers, text);
  } catch (error) {
    answer("No answer", false, [], error.message);
  }
});

function answer(status, good, headers, text) {
  at("status").textContent = status;
  at("status").className = good ? "good" : "bad";
  const lines = new Map(headers);
  at("range").textContent = lines.has("content-range") ? `Rows ${lines.get("content-range")}` : "";
  at("headers").textContent = [...lines].map(([name, value]) => `${name}: ${value}`).join("\n");
  const value = parsed(text);
  at("text").textContent = value === undefined ? text : JSON.stringify(value, null, 2);
  const isRow = (one) => one !== null && typeof one === "object" && !Array.isArray(one);
  const shown = good && Array.isArray(value) && value.length > 0 && value.every(isRow);
  at("rows").hidden = !shown;
  at("raw").open = !shown;
  if (!shown) return;
  const names = [...new Set(value.flatMap(Object.keys))];
  at("names").replaceChildren(row(names.map((name) => element("th", name))));
  at("values").replaceChildren(...value.slice(0, 500).map((one) => row(names.map((name) => cell(one[name])))));
}

function cell(value) {
  if (value === null || value === undefined) return element("td", "null", "none");
  return element("td", typeof value === "object" ? JSON.stringify(value) : String(value));
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The same request for a shell, with the key in a variable. */
function curl(address, init) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const key = at("key").value.trim();
  const lines = [`curl -X ${init.method} ${quoted(address.href)}`];
  for (const [name, value] of Object.entries(init.headers)) {
    lines.push(value.includes(key) ? `-H "${name}: ${value.replace(key, "$KEY")}"` : `-H ${quoted(`${name}: ${value}`)}`);
  }
  if (init.body) lines.push(`-d ${quoted(init.body)}`);
  return lines.join(" \\\n  ");
}
