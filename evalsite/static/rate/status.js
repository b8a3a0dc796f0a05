// The one line that says where the rater's answer is. A live region outside the part that changes with every neuron.

const box = document.getElementById("rate-status");
const SHORT_MS = 2_500;
let timer = 0;

export function say(text, tone = "", { stays = false, action = null } = {}) {
  clearTimeout(timer);
  box.hidden = false;
  box.className = `rate-status ${tone}`;
  box.replaceChildren(text, ...(action ? [action] : []));
  if (!stays) timer = setTimeout(hush, SHORT_MS);
}

export function hush() {
  clearTimeout(timer);
  box.hidden = true;
  box.replaceChildren();
}

export function link(text, href) {
  const element = Object.assign(document.createElement("a"), { textContent: text, href, target: "_blank", className: "button small" });
  return element;
}

export function button(text, onClick) {
  const element = Object.assign(document.createElement("button"), { textContent: text, type: "button", className: "button small" });
  element.addEventListener("click", onClick);
  return element;
}
