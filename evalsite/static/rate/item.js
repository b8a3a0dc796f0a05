// One item on the screen: its form, its draft, its clock, its way to the server.

import * as answers from "./answer.js";
import { Clock } from "./clock.js";
import * as outbox from "./outbox.js";
import * as server from "./server.js";
import * as store from "./store.js";

const DRAFT_AFTER_MS = 1_000;

// crypto.randomUUID exists on secure pages only; a study in a lab network may run without TLS.
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Item {
  constructor(form) {
    this.form = form;
    this.isPractice = form.dataset.mode === "practice";
    this.assignment = form.dataset.assignment;
    this.key = newKey();
    this.locked = false;
    this.draftTimer = 0;
    this.stops = [...form.querySelectorAll("[data-stop]")]; // where J and K go
    this.letScroll();
    const kept = this.isPractice ? null : store.get(`draft:${this.assignment}`);
    if (kept) answers.fill(form, kept);
    this.clock = new Clock(
      Math.max(Number(form.dataset.activeMs ?? 0), kept?.active_ms ?? 0),
      Math.max(Number(form.dataset.wallMs ?? 0), kept?.wall_ms ?? 0),
    );
    this.move(0, false);
    if (kept) this.changed();
    else answers.show(form);
  }

  // A text too long for its box can be reached by Tab and scrolled with the arrow keys; a short one costs no stop.
  letScroll() {
    for (const text of this.form.querySelectorAll(".snippet-text, blockquote")) {
      if (text.scrollHeight > text.clientHeight) text.tabIndex = 0;
    }
  }

  answer() {
    return { ...answers.read(this.form), ...this.clock.read() };
  }

  changed() {
    answers.show(this.form);
    answers.showProblem(this.form, null);
    if (this.isPractice || this.locked) return;
    store.put(`draft:${this.assignment}`, this.answer());
    clearTimeout(this.draftTimer);
    this.draftTimer = setTimeout(() => this.saveDraft(), DRAFT_AFTER_MS);
  }

  // The browser's copy goes when the server holds the same answer.
  async saveDraft({ keepalive = false } = {}) {
    clearTimeout(this.draftTimer);
    if (this.isPractice || this.locked) return "ok";
    const sent = this.answer();
    const { kind } = await server.post(this.form.dataset.draftUrl, sent, { keepalive });
    const same = JSON.stringify(answers.read(this.form)) === JSON.stringify({ ...sent, active_ms: undefined, wall_ms: undefined });
    if (kind === "ok" && same) store.remove(`draft:${this.assignment}`);
    return kind;
  }

  lock(locked) {
    this.locked = locked;
    clearTimeout(this.draftTimer);
    this.form.toggleAttribute("inert", locked);
    this.form.setAttribute("aria-busy", String(locked));
  }

  // -> whether the answer is on its way.
  submit() {
    if (this.locked) return false;
    const found = answers.problem(this.form);
    answers.showProblem(this.form, found);
    if (found) return false;
    const answer = this.answer();
    if (this.isPractice) {
      Object.entries({ active_ms: answer.active_ms, wall_ms: answer.wall_ms }).forEach(([name, ms]) => { this.form.elements[name].value = ms; });
      this.form.submit();
      return true;
    }
    this.lock(true);
    store.put(`draft:${this.assignment}`, answer);
    outbox.add({ assignment: this.assignment, url: this.form.action, key: this.key, answer });
    return true;
  }

  refused(found) {
    this.lock(false);
    this.key = newKey();
    answers.showProblem(this.form, found);
  }

  // -> the control that answers to a key: of the current stop, or of no stop.
  control(key) {
    const selector = `[data-key="${CSS.escape(key)}"]`;
    const elsewhere = [...this.form.querySelectorAll(selector)].find((control) => !control.closest("[data-stop]"));
    return this.stops[this.current]?.querySelector(selector) ?? elsewhere;
  }

  use(control) {
    if (control.type === "radio") this.pick(control);
    else control.focus();
  }

  // The same key again takes a choice away where the form allows it; a new choice may go on to the next stop.
  pick(radio) {
    const wasThere = radio.checked && "toggle" in radio.dataset;
    radio.checked = !wasThere;
    const stays = !("advance" in radio.dataset);
    if (stays) radio.focus({ preventScroll: true });
    this.changed();
    if (!wasThere && !stays) this.move(this.current + 1);
  }

  move(index, focus = true) {
    if (index < 0 || index >= this.stops.length) return;
    this.stops[this.current]?.classList.remove("current");
    this.current = index;
    const stop = this.stops[index];
    stop.classList.add("current");
    if (!focus) return;
    stop.focus({ preventScroll: true });
    stop.scrollIntoView({ block: "nearest" });
  }
}
