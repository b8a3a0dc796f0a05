// Answers on their way. An entry leaves only after the server has said that it is stored; until then it is kept in the
// browser and sent again with the same key, so that a lost reply or a second tab never makes a second judgment.

import * as server from "./server.js";
import * as store from "./store.js";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;
const SIGNED_OUT_WAIT_MS = 2_000; // the server is there: look often whether the rater has signed in, in another window
let wait = FIRST_WAIT_MS;
let timer = 0;
let running = null;
let listener = () => {};

// listener(entry, kind, data) hears the outcome of every attempt.
export function start(onOutcome) {
  listener = onOutcome;
  window.addEventListener("online", send);
  window.addEventListener("focus", send);
  // Windows share one outbox: another one may deliver what this one waits for.
  store.onRemovedElsewhere("answer:", (name) => listener({ assignment: name.slice("answer:".length) }, "elsewhere"));
  if (waiting().length > 0) send();
}

export function waiting() {
  return store.names("answer:").map((name) => store.get(name)).filter(Boolean).sort((a, b) => a.at - b.at);
}

export function waitingFor(assignment) {
  return store.get(`answer:${assignment}`);
}

export function add(entry) {
  const kept = store.put(`answer:${entry.assignment}`, { ...entry, at: Date.now(), attempts: 0 });
  send();
  return kept;
}

export function discard(assignment) {
  store.remove(`answer:${assignment}`);
}

export function send() {
  clearTimeout(timer);
  running ??= sendAll().finally(() => { running = null; });
  return running;
}

async function sendAll() {
  for (const entry of waiting()) {
    entry.attempts += 1;
    store.put(`answer:${entry.assignment}`, entry);
    const { kind, data } = await server.post(entry.url, { ...entry.answer, key: entry.key });
    if (kind === "ok" || kind === "refused") discard(entry.assignment);
    listener(entry, kind, data);
    if (kind === "unreachable" || kind === "signed-out" || kind === "paused") {
      timer = setTimeout(send, kind === "signed-out" ? SIGNED_OUT_WAIT_MS : wait);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
      return;
    }
    wait = FIRST_WAIT_MS;
  }
}
