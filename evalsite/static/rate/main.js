// The rater's pages. Without this script every page works as form and redirect; with it: keys, drafts, an outbox that
// survives a lost connection, pause, and the next neuron without a page load.

import * as keys from "./keys.js";
import * as keysettings from "./keysettings.js";
import * as outbox from "./outbox.js";
import { Item } from "./item.js";
import * as server from "./server.js";
import * as status from "./status.js";
import * as store from "./store.js";
import { text } from "./texts.js";

const SETTLE_MS = 300; // keys meant for the last neuron must not answer the next one
const RETRY_MS = 3_000;
const main = document.getElementById("content");
let item = null;
let shownAt = -SETTLE_MS;
let onward = null; // the address to load as soon as the connection is back

document.documentElement.classList.add("js");

function begin() {
  const form = document.getElementById("answer");
  item = form ? new Item(form) : null;
  keys.begin();
  for (const button of document.querySelectorAll(".keys-change")) button.addEventListener("click", keysettings.open);
  if (!form) return;
  form.noValidate = true;
  form.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  form.addEventListener("input", () => item.changed());
  form.addEventListener("click", choiceClicked);
  form.addEventListener("focusin", (event) => {
    const stop = event.target.closest("[data-stop]");
    if (stop) item.move(item.stops.indexOf(stop), false);
  });
  document.getElementById("pause")?.addEventListener("click", () => pause(true));
  document.getElementById("resume")?.addEventListener("click", () => pause(false));
  document.getElementById("help-open")?.addEventListener("click", help);
  document.getElementById("undo-form")?.addEventListener("submit", (event) => { event.preventDefault(); undo(); });
  if (!item.isPractice && outbox.waitingFor(item.assignment)) resumeWaiting();
}

// An answer for this very item is still on its way: show it and wait.
function resumeWaiting() {
  item.lock(true);
  sayWaiting("unreachable");
}

let chosenBefore = null;
document.addEventListener("pointerdown", (event) => {
  const input = event.target.closest?.("label")?.querySelector("input[data-toggle]");
  chosenBefore = input?.checked ? input : null;
});

// A click on a choice that may be taken back takes it back.
function choiceClicked(event) {
  if (event.target !== chosenBefore) return;
  event.target.checked = false;
  chosenBefore = null;
  item.changed();
}

// -- Saving -------------------------------------------------------------------------------------------------------------

function submit() {
  if (!item || paused() || item.locked) return;
  if (item.submit() && !item.isPractice) status.say(text("saving"), "", { stays: true });
}

function sayWaiting(kind) {
  const count = outbox.waiting().length;
  const signIn = () => status.link(text("sign-in"), `/accounts/login/?next=${encodeURIComponent(location.pathname)}`);
  const action = kind === "signed-out" ? signIn() : null;
  status.say(text(`${kind}-${count === 1 ? "one" : "many"}`, { count }), "warn", { stays: true, action });
}

function onOutcome(entry, kind, data) {
  const isHere = item && entry.assignment === item.assignment;
  if (kind === "ok") saved(entry, data, isHere);
  else if (kind === "refused" && isHere) {
    status.hush();
    item.refused({ field: data?.field ?? "", message: data?.error ?? text("refused") });
  } else if (["unreachable", "signed-out", "paused"].includes(kind)) sayWaiting(kind);
  else if (kind === "elsewhere") takenElsewhere(isHere);
  else sayStuck(entry, data?.error ?? text("unknown"), isHere);
}

function saved(entry, receipt, isHere) {
  store.remove(`draft:${entry.assignment}`);
  // A duplicate on the first try comes from another tab; on a later try it is our own lost reply.
  const elsewhere = receipt.duplicate && entry.attempts === 1;
  status.say(text(elsewhere ? "answered-elsewhere" : "saved"), "good");
  if (isHere) loadNext(item.form.dataset.nextUrl);
}

// Another window sent the answer, or threw it away: the server knows which neuron is next.
function takenElsewhere(isHere) {
  if (!isHere || !item.locked) return;
  status.hush();
  loadNext(item.form.dataset.nextUrl);
}

function sayStuck(entry, reason, isHere) {
  const action = status.button(text("discard"), () => {
    outbox.discard(entry.assignment);
    store.remove(`draft:${entry.assignment}`);
    status.hush();
    if (isHere) location.assign("/");
  });
  status.say(`${reason} ${text("kept")}`, "warn", { stays: true, action });
}

async function loadNext(url) {
  onward = url;
  const reply = await server.page(url);
  if (onward !== url) return;
  if (reply.kind !== "ok") {
    status.say(text(reply.kind === "signed-out" ? "next-signed-out" : "next-offline"), "warn", { stays: true });
    setTimeout(() => { if (onward === url) loadNext(url); }, RETRY_MS);
    return;
  }
  onward = null;
  if (!reply.doc.getElementById("answer")) {
    location.assign(reply.url);
    return;
  }
  main.replaceChildren(...reply.doc.getElementById("content").childNodes);
  window.scrollTo(0, 0);
  main.focus({ preventScroll: true });
  shownAt = performance.now();
  begin();
}

async function undo() {
  const form = document.getElementById("undo-form");
  if (!form || paused() || item?.locked) return;
  if (!item) {
    form.submit();
    return;
  }
  if (await item.saveDraft() !== "ok") {
    status.say(text("undo-offline"), "warn");
    return;
  }
  item.lock(true);
  const { kind, data } = await server.post(form.action, {});
  if (kind === "ok") {
    status.say(text("undone"));
    loadNext(item.form.dataset.nextUrl);
  } else {
    item.lock(false);
    const reasons = { unknown: text("undo-nothing"), refused: data?.error };
    status.say(reasons[kind] ?? text("undo-failed"), "warn");
  }
}

// -- Pause and help -----------------------------------------------------------------------------------------------------

function paused() {
  const box = document.getElementById("paused");
  return Boolean(box && !box.hidden);
}

function pause(on) {
  const box = document.getElementById("paused");
  if (!box || item.locked) return;
  box.hidden = !on;
  item.form.hidden = on;
  item.clock.pause(on);
  if (on) {
    item.saveDraft();
    document.getElementById("paused-title").focus();
  } else {
    item.move(item.current);
  }
}

async function help() {
  const dialog = document.getElementById("help");
  if (!dialog || paused()) return;
  dialog.showModal();
  if (dialog.dataset.loaded) return;
  const reply = await server.page(dialog.dataset.instructions);
  const instructions = reply.doc?.getElementById("instructions-text");
  if (!instructions) return;
  dialog.dataset.loaded = "yes";
  document.getElementById("help-instructions").replaceChildren(...instructions.childNodes);
}

// -- Keys ---------------------------------------------------------------------------------------------------------------

function onItem(action) {
  return () => {
    if (item && !item.locked && !paused() && performance.now() - shownAt > SETTLE_MS) action(item);
  };
}

function enter() {
  const goOn = document.getElementById("go-on");
  if (paused()) pause(false);
  else if (goOn) goOn.click();
  else onItem(submit)();
}

// A key of a control of this task. -> whether there is one.
function answerKey(key) {
  const control = item?.control(key);
  if (control) onItem((shown) => shown.use(control))();
  return Boolean(control);
}

keys.listen({
  escape: () => document.activeElement.blur(),
  j: onItem((shown) => shown.move(shown.current + 1)),
  k: onItem((shown) => shown.move(shown.current - 1)),
  z: () => undo(), h: help,
  p: () => { if (item && !item.isPractice) pause(!paused()); },
  enter, "ctrl+enter": enter,
}, answerKey);

// -- The page comes and goes --------------------------------------------------------------------------------------------

for (const name of ["focus", "blur"]) window.addEventListener(name, () => item?.clock.update());
document.addEventListener("visibilitychange", () => {
  item?.clock.update();
  if (document.hidden && item && !item.locked) item.saveDraft({ keepalive: true });
});
window.addEventListener("online", () => { if (onward) loadNext(onward); else item?.saveDraft(); });

outbox.start(onOutcome);
begin();
