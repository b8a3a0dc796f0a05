// Your own text: the form is sent while one types, and the reading below is replaced by the answer. Without this script
// the same form works as a page. One request at a time; what was typed meanwhile is sent next, so the last text wins.

const PAUSE_MS = 250; // after the last key
const SLOW_MS = 1_500; // then it is said that the service starts
const RETRY_MS = 700;
const TIMEOUT_MS = 40_000;

const form = document.getElementById("live");
const box = document.getElementById("text");
const reading = document.getElementById("reading");
let timer = 0;
let busy = false;
let waiting = null; // what to send when the answer is here: {button}

document.documentElement.classList.add("js");

const lastText = () => {
  const state = reading.querySelector("input[name=state]")?.value;
  return state ? JSON.parse(state).text : null;
};

function later(ms = PAUSE_MS) {
  clearTimeout(timer);
  timer = setTimeout(() => send(null), ms);
}

async function send(button) {
  clearTimeout(timer);
  if (busy) {
    waiting = { button };
    return;
  }
  busy = true;
  const sent = box.value;
  reading.classList.add("stale");
  const slow = setTimeout(() => detail("Reading … the first time, the network has to be started; that takes some seconds."), SLOW_MS);
  const answer = await ask(new FormData(form, button));
  clearTimeout(slow);
  busy = false;
  reading.classList.remove("stale");
  if (answer.kind === "busy") {
    waiting ??= { button };
    timer = setTimeout(sendWaiting, RETRY_MS);
    return;
  }
  show(answer, sent, button);
  sendWaiting();
}

function sendWaiting() {
  if (!waiting) return;
  const { button } = waiting;
  waiting = null;
  send(stillThere(button));
}

// The answer may have replaced the button meanwhile. A token's means another text then; the text is sent as it is.
function stillThere(button) {
  if (!button || button.isConnected) return button;
  return button.name === "at" ? null : form.querySelector(`button[name="${button.name}"][value="${button.value}"]`);
}

async function ask(body) {
  try {
    const reply = await fetch(location.href, {
      method: "POST",
      body,
      redirect: "manual",
      headers: { "HX-Request": "true" },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (reply.status === 429) return { kind: "busy" };
    if (reply.type === "opaqueredirect" || reply.status === 403 || reply.status === 404) {
      return { kind: "failed", text: "You are signed out, or this page is no longer yours to see. Load it again." };
    }
    const html = await reply.text();
    if (reply.ok) return { kind: "ok", html };
    const said = new DOMParser().parseFromString(html, "text/html").getElementById("live-error")?.textContent;
    return { kind: "failed", text: said || "The server could not answer. What you typed is still here." };
  } catch {
    return { kind: "failed", text: "No answer. What you typed is still here and is sent again when you go on." };
  }
}

function show(answer, sent, button) {
  if (answer.kind === "failed") {
    fail(answer.text);
    return;
  }
  const place = [...reading.querySelectorAll("button.piece")].indexOf(document.activeElement);
  const open = document.getElementById("values")?.open;
  reading.innerHTML = answer.html;
  if (open) document.getElementById("values")?.setAttribute("open", "");
  const read = lastText();
  if (read !== null && read !== box.value) {
    // An edit by button changes the box; what was typed while it was on its way is kept and read next.
    if (button && box.value === sent) box.value = read;
    else if (box.value !== sent) later();
  }
  roam(place);
  document.getElementById("live-said").textContent = document.getElementById("live-facts")?.textContent ?? "";
  if (button?.name === "do" && button.value !== "read") reading.querySelector("#drops, #firing")?.scrollIntoView({ block: "nearest" });
}

function fail(text) {
  let line = document.getElementById("live-error");
  if (!line) {
    line = Object.assign(document.createElement("p"), { id: "live-error", className: "message error" });
    line.setAttribute("role", "alert");
    reading.prepend(line);
  }
  line.textContent = text;
}

// -- Tokens: one stop of the Tab key for all of them, arrow keys from one to the next --------------------------------------

const pieces = () => [...reading.querySelectorAll("button.piece")];

function roam(place) {
  const all = pieces();
  all.forEach((piece, at) => { piece.tabIndex = at === Math.max(0, place) ? 0 : -1; });
  if (place >= 0 && all.length) all[Math.min(place, all.length - 1)].focus();
}

function detail(text) {
  const line = document.getElementById("live-detail");
  if (line) line.textContent = text;
  else if (!reading.querySelector("#live-wait")) reading.prepend(Object.assign(document.createElement("p"), { id: "live-wait", className: "muted", textContent: text }));
}

const look = (event) => {
  const piece = event.target.closest?.("button.piece");
  if (piece) detail(`“${piece.dataset.name}”: ${piece.title}`);
};

reading.addEventListener("pointerover", look);
reading.addEventListener("focusin", (event) => {
  look(event);
  const piece = event.target.closest("button.piece");
  if (piece) for (const one of pieces()) one.tabIndex = one === piece ? 0 : -1;
});
reading.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 }[event.key];
  const at = pieces().indexOf(document.activeElement);
  if (step && at >= 0) {
    event.preventDefault();
    pieces()[at + step]?.focus();
  }
});

// -- The form -----------------------------------------------------------------------------------------------------------

form.addEventListener("submit", (event) => {
  event.preventDefault();
  send(event.submitter);
});
form.addEventListener("input", (event) => {
  if (event.target.name === "scale") form.elements.range.value = "own";
  if (event.target.name === "with") form.elements.click.value = "replace";
  if (["text", "range", "scale"].includes(event.target.name)) later();
});

roam(-1);
if (box.value && !reading.querySelector(".piece")) send(null);
