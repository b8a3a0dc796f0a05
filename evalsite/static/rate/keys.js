// Single-key shortcuts: off while typing, deaf to key repeat, and the rater can switch them off or change them
// (WCAG 2.1.4). A key is named by what is printed by default; a rater's own keys stand for those.

import * as store from "./store.js";

const root = document.documentElement;
let place = ""; // where the own keys of this task are kept
let own = {}; // default key -> the rater's own key, "" for none

export function areOn() {
  return store.get("keys") !== "off";
}

// To be called whenever the page's content has changed.
export function begin() {
  place = `own-keys:${document.querySelector(".keys-table")?.dataset.task ?? ""}`;
  own = store.get(place) ?? {};
  print();
  const box = document.getElementById("keys-on");
  root.classList.toggle("keys-off", !areOn());
  if (!box) return;
  box.checked = areOn();
  box.addEventListener("change", () => {
    store.put("keys", box.checked ? "on" : "off");
    root.classList.toggle("keys-off", !box.checked);
  });
}

export function ownKey(key) {
  return own[key] ?? key;
}

export function setOwn(chosen) {
  own = Object.fromEntries(Object.entries(chosen).filter(([key, mine]) => key !== mine));
  store.put(place, own);
  print();
}

function print() {
  for (const kbd of document.querySelectorAll("[data-kbd]")) kbd.textContent = ownKey(kbd.dataset.kbd).toUpperCase() || "–";
}

function isTyping(element) {
  return element.matches?.("textarea, select, input:not([type=radio], [type=checkbox])") || element.isContentEditable;
}

// On a keyboard without Latin letters the key's place counts.
function nameOf(event) {
  if (event.key.length > 1 || /^[a-z0-9]$/i.test(event.key)) return event.key.toLowerCase();
  return event.code.replace(/^(Key|Digit|Numpad)/, "").toLowerCase();
}

// What a key stands for: its default name, or nothing if the rater gave that to another key.
function meant(event) {
  const typed = event.key.toLowerCase();
  const mine = Object.keys(own).find((key) => own[key] === typed);
  const name = nameOf(event);
  return mine ?? (name in own ? "" : name);
}

// actions: name of the key -> function; "ctrl+enter" and "escape" work while typing too. otherwise(name) -> whether it
// did something.
export function listen(actions, otherwise = () => false) {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.repeat || event.altKey || document.querySelector("dialog[open]")) return;
    const typing = isTyping(event.target);
    let name = meant(event);
    if (event.ctrlKey || event.metaKey) {
      if (name !== "enter") return;
      name = "ctrl+enter";
    } else if (typing) {
      if (name !== "escape") return;
    } else if (!areOn()) {
      return;
    }
    if (name === "enter" && event.target.closest?.("a, button, summary")) return;
    if (actions[name]) {
      event.preventDefault();
      actions[name](event);
    } else if (name && otherwise(name)) {
      event.preventDefault();
    }
  });
}
