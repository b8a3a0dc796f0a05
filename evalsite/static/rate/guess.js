// The guess after the last item: keys for a plain form.

import * as keys from "./keys.js";

const form = document.getElementById("guess");
const guesses = [...form.querySelectorAll("input[name=guess]")];

document.documentElement.classList.add("js");

function pick(name, value) {
  const input = form.querySelector(`input[name=${name}][value="${CSS.escape(value)}"]`);
  if (!input) return;
  input.checked = true;
  input.focus({ preventScroll: true });
  certaintyAsked();
}

// "I don't know" has no certainty.
function certaintyAsked() {
  const unknown = form.elements.guess.value === "dk";
  for (const input of form.querySelectorAll("input[name=certainty]")) {
    input.required = !unknown;
    input.disabled = unknown;
  }
}

const actions = {
  d: () => pick("guess", "dk"),
  1: () => pick("certainty", "1"), 2: () => pick("certainty", "2"), 3: () => pick("certainty", "3"),
  r: () => form.elements.reason.focus(),
  escape: () => document.activeElement.blur(),
  enter: () => form.requestSubmit(),
  "ctrl+enter": () => form.requestSubmit(),
};
guesses.filter((input) => input.value !== "dk").forEach((input) => {
  const key = input.closest("label").querySelector("kbd").textContent.trim().toLowerCase();
  actions[key] = () => pick("guess", input.value);
});
form.addEventListener("change", certaintyAsked);
keys.begin();
keys.listen(actions);
