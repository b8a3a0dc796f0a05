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
    this.rows = [...form.querySelectorAll(".snippet.markable")];
    const kept = this.isPractice ? null : store.get(`draft:${this.assignment}`);
    if (kept) answers.fill(form, kept);
    this.clock = new Clock(
      Math.max(Number(form.dataset.activeMs ?? 0), kept?.active_ms ?? 0),
      Math.max(Number(form.dataset.wallMs ?? 0), kept?.wall_ms ?? 0),
    );
    this.move(0, false);
    if (kept) this.changed();
    else this.show();
  }

  answer() {
    return { ...answers.read(this.form), ...this.clock.read() };
  }

  show() {
    answers.showTally(this.form);
    document.getElementById("confidence").classList.toggle("not-asked", answers.read(this.form).verdict === "cannot");
  }

  changed() {
    this.show();
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
    const found = answers.problem(answers.read(this.form));
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

  pick(name, value) {
    const input = this.form.querySelector(`input[name=${name}][value="${value}"]`);
    input.checked = true;
    input.focus({ preventScroll: true });
    this.changed();
  }

  move(index, focus = true) {
    if (index < 0 || index >= this.rows.length) return;
    this.rows[this.current]?.classList.remove("current");
    this.current = index;
    const row = this.rows[index];
    row.classList.add("current");
    if (!focus) return;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  // The same mark again takes it away; a new mark goes on to the next snippet.
  mark(value) {
    const input = this.rows[this.current].querySelector(`input[value="${value}"]`);
    const wasThere = input.checked;
    input.checked = !wasThere;
    this.changed();
    if (!wasThere) this.move(this.current + 1);
  }
}
