// The dialog in which a rater changes keys: one field for each key that the page's table of keys prints.

import * as keys from "./keys.js";
import * as status from "./status.js";
import { text } from "./texts.js";

const dialog = document.getElementById("key-settings");

export function open() {
  fill(keys.ownKey);
  sayError("");
  dialog.showModal();
}

function fill(keyOf) {
  const row = document.getElementById("keys-row").content.firstElementChild;
  document.getElementById("keys-rows").replaceChildren(...printed().map(({ key, says }, index) => {
    const copy = row.cloneNode(true);
    const input = copy.querySelector("input");
    Object.assign(copy.querySelector("label"), { textContent: says, htmlFor: `own-key-${index}` });
    Object.assign(input, { id: `own-key-${index}`, value: keyOf(key).toUpperCase() });
    input.dataset.for = key;
    return copy;
  }));
}

function printed() {
  const shown = [...document.querySelectorAll(".keys-table [data-says]")].map((kbd) => ({ key: kbd.dataset.kbd, says: kbd.dataset.says }));
  return shown.filter(({ key }, index) => shown.findIndex((other) => other.key === key) === index);
}

function sayError(message) {
  const line = document.getElementById("keys-error");
  line.hidden = !message;
  line.textContent = message;
}

function save() {
  const inputs = [...dialog.querySelectorAll("input")];
  const chosen = inputs.map((input) => input.value.trim().toLowerCase());
  const second = chosen.findIndex((key, index) => key && chosen.indexOf(key) < index);
  if (second >= 0) {
    const [one, other] = [inputs[chosen.indexOf(chosen[second])], inputs[second]].map((input) => input.labels[0].textContent);
    sayError(text("key-taken", { key: chosen[second].toUpperCase(), one, other }));
    inputs[second].focus();
    return;
  }
  keys.setOwn(Object.fromEntries(inputs.map((input, index) => [input.dataset.for, chosen[index]])));
  status.say(text("keys-saved"), "good");
  dialog.close();
}

if (dialog) {
  document.getElementById("keys-reset").addEventListener("click", () => { fill((key) => key); sayError(""); });
  // The last character typed counts, so that a field need not be emptied first.
  dialog.addEventListener("input", (event) => { event.target.value = event.target.value.slice(-1).toUpperCase(); });
  document.getElementById("keys-form").addEventListener("submit", (event) => {
    if (event.submitter?.value === "cancel") return;
    event.preventDefault();
    save();
  });
}
