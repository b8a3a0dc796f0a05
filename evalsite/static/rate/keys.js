// Single-key shortcuts: off while typing, deaf to key repeat, and the rater can switch them off (WCAG 2.1.4).

import * as store from "./store.js";

const root = document.documentElement;

export function areOn() {
  return store.get("keys") !== "off";
}

export function bindSwitch() {
  const box = document.getElementById("keys-on");
  root.classList.toggle("keys-off", !areOn());
  if (!box) return;
  box.checked = areOn();
  box.addEventListener("change", () => {
    store.put("keys", box.checked ? "on" : "off");
    root.classList.toggle("keys-off", !box.checked);
  });
}

function isTyping(element) {
  return element.matches?.("textarea, select, input:not([type=radio], [type=checkbox])") || element.isContentEditable;
}

// On a keyboard without Latin letters the key's place counts.
function nameOf(event) {
  if (event.key.length > 1 || /^[a-z0-9]$/i.test(event.key)) return event.key.toLowerCase();
  return event.code.replace(/^(Key|Digit|Numpad)/, "").toLowerCase();
}

// actions: name of the key -> function; "ctrl+enter" and "escape" work while typing too. otherwise(name) -> whether it
// did something.
export function listen(actions, otherwise) {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.repeat || event.altKey || document.querySelector("dialog[open]")) return;
    const typing = isTyping(event.target);
    let name = nameOf(event);
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
    } else if (otherwise(name)) {
      event.preventDefault();
    }
  });
}
