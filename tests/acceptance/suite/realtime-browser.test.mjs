// What realtime-js does in a browser only: heartbeats from a worker, which a page in the background does not slow down.
import assert from "node:assert/strict";
import { test } from "node:test";
import { addClient, withPage } from "../lib/chromium.mjs";
import { url } from "../lib/instance.mjs";

test("a worker keeps the socket alive, and a broadcast comes back", async () => {
  await withPage(async (page) => {
    // Whatever the instance itself answers: from a page made up Chromium opens no socket to this machine.
    await page.goto(`${url}/auth/v1/health`);
    await addClient(page, { realtime: { worker: true, heartbeatIntervalMs: 200 } });
    const found = await page.evaluate(async () => {
      const { realtime } = window.client;
      const beats = [];
      realtime.onHeartbeat((status) => beats.push(status));
      const heard = [];
      const channel = window.client.channel("browser", { config: { broadcast: { self: true, ack: true } } })
        .on("broadcast", { event: "said" }, ({ payload }) => heard.push(payload.n));
      await new Promise((resolve, reject) =>
        channel.subscribe((status, error) => (status === "SUBSCRIBED" ? resolve() : reject(error ?? new Error(status)))));
      const sent = await channel.send({ type: "broadcast", event: "said", payload: { n: 1 } });
      const deadline = Date.now() + 8000;
      while (beats.filter((status) => status === "ok").length < 3 && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const worker = realtime.workerRef instanceof Worker;
      await window.client.removeAllChannels();
      return { beats: [...new Set(beats)].sort(), heard, sent, worker };
    });
    assert.deepEqual(found, { beats: ["ok", "sent"], heard: [1], sent: "ok", worker: true });
  });
});
