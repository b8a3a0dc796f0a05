// The launch form's live preview: an item stands beside what is asked about it and follows the form. Without this script
// the button opens it in a new tab.

const form = document.getElementById("design-form");
const button = document.getElementById("preview-button");
const pane = document.getElementById("preview-pane");
const WAIT_MS = 800;
let timer = 0;
let asked = 0;

async function show() {
  const mine = ++asked;
  pane.hidden = false;
  pane.setAttribute("aria-busy", "true");
  try {
    const reply = await fetch(button.formAction, { method: "POST", body: new FormData(form) });
    const doc = new DOMParser().parseFromString(await reply.text(), "text/html");
    const item = doc.getElementById("preview-item");
    if (mine !== asked || !item) return;
    pane.replaceChildren(...item.childNodes);
  } catch {
    if (mine === asked) pane.textContent = pane.dataset.offline;
  } finally {
    if (mine === asked) pane.removeAttribute("aria-busy");
  }
}

button.addEventListener("click", (event) => { event.preventDefault(); show(); });
form.addEventListener("step", (event) => { if (event.detail === "shown") show(); });
form.addEventListener("change", () => {
  if (pane.hidden) return;
  clearTimeout(timer);
  timer = setTimeout(show, WAIT_MS);
});
