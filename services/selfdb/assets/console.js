// Shows what /health of the gateway says, every five seconds.
const state = document.querySelector("#state");
const checks = document.querySelector("#checks");

function row(name, text) {
  const tr = document.createElement("tr");
  for (const value of [name, text]) {
    const td = document.createElement("td");
    td.textContent = value;
    tr.append(td);
  }
  return tr;
}

async function refresh() {
  try {
    const response = await fetch("/health");
    const { services = {} } = await response.json();
    state.textContent = response.ok ? "Everything answers." : "Something does not answer.";
    const entries = Object.entries(services);
    checks.replaceChildren(...entries.map(([name, text]) => row(name, text)));
  } catch {
    state.textContent = "The platform does not answer. Look at its log, or run ./start.sh --status.";
  }
}

async function main() {
  const { api_url } = await (await fetch("/console.json")).json();
  const link = document.querySelector("#api");
  link.href = api_url;
  link.textContent = api_url;
  await refresh();
  setInterval(refresh, 5000);
}

main();
