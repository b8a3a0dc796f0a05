// The answer form of any task: read it, fill it, say what is missing, count the marks. Which controls there are, which
// must be filled and when, stands in the form itself (see the template tasks/_task.html).

import { text } from "./texts.js";

const RESPONSE = "r_"; // what a task asks for beside verdict, confidence, rule and marks

export function read(form) {
  const data = new FormData(form);
  const marks = marksOf(form);
  const confidence = data.get("confidence");
  return {
    verdict: data.get("verdict") ?? "",
    confidence: confidence ? Number(confidence) : null,
    rule: data.get("rule") ?? "",
    marks: marks.some(Boolean) ? marks : [],
    responses: responsesOf(data),
  };
}

function marksOf(form) {
  const numbers = Array.from({ length: Number(form.dataset.snippets) }, (_, index) => index + 1);
  return numbers.map((number) => form.querySelector(`input[name="mark_${number}"]:checked`)?.value ?? "");
}

function responsesOf(data) {
  const given = [...data].filter(([name, value]) => name.startsWith(RESPONSE) && value.trim());
  return Object.fromEntries(given.map(([name, value]) => [name.slice(RESPONSE.length), value]));
}

export function fill(form, answer) {
  const values = { verdict: answer.verdict, confidence: String(answer.confidence ?? ""), rule: answer.rule };
  for (let number = 1; number <= Number(form.dataset.snippets); number += 1) values[`mark_${number}`] = answer.marks[number - 1] ?? "";
  for (const control of form.elements) {
    const isResponse = control.name.startsWith(RESPONSE);
    const value = isResponse ? answer.responses?.[control.name.slice(RESPONSE.length)] ?? "" : values[control.name];
    if (value === undefined || control.type === "hidden") continue;
    if (control.type === "radio") control.checked = value !== "" && control.value === value;
    else control.value = value;
  }
}

// Whether a part of the form is asked for: no condition of its data-unless="name=value name=value" holds, and the one of
// its data-only-if does.
export function isAsked(form, part) {
  const data = new FormData(form);
  const holds = (condition) => {
    const [name, value] = condition.split("=");
    return (data.get(name) ?? "") === value;
  };
  const { unless = "", onlyIf } = part.dataset;
  return !unless.split(" ").some((condition) => condition && holds(condition)) && (!onlyIf || holds(onlyIf));
}

// -> {field, message} or null. The server checks again; this only spares the round trip.
export function problem(form) {
  const data = new FormData(form);
  for (const part of form.querySelectorAll("[data-required]")) {
    const field = part.querySelector("[name]").name;
    if (isAsked(form, part) && !data.get(field)?.trim()) return { field, message: part.dataset.required };
  }
  return null;
}

export function showProblem(form, found) {
  const line = document.getElementById("form-error");
  for (const element of form.querySelectorAll("[aria-invalid]")) element.removeAttribute("aria-invalid");
  line.hidden = found === null;
  line.textContent = found?.message ?? "";
  if (!found) return;
  const target = form.querySelector(`[name="${CSS.escape(found.field)}"]:not([type=hidden])`) ?? form.querySelector("[data-required] [name]");
  if (!target) return;
  if (target.type !== "radio") target.setAttribute("aria-invalid", "true");
  target.focus();
}

// What is not asked now steps back; marked snippets look marked; the tally counts them.
export function show(form) {
  for (const part of form.querySelectorAll("[data-unless]")) part.classList.toggle("not-asked", !isAsked(form, part));
  for (const row of form.querySelectorAll(".snippet.markable")) {
    const mark = row.querySelector("input:checked")?.value;
    row.classList.toggle("fits", mark === "fits");
    row.classList.toggle("misfits", mark === "misfits");
  }
  const box = document.getElementById("tally");
  if (box) showTally(box, marksOf(form));
}

// The share of fits among the marked snippets against the protocol's threshold, as the protocol counts it.
function showTally(box, marks) {
  const threshold = Number(box.dataset.threshold);
  const fits = marks.filter((mark) => mark === "fits").length;
  const judged = marks.filter(Boolean).length;
  box.hidden = judged === 0;
  if (judged === 0) return;
  const percent = Math.round(threshold * 100);
  const reached = fits >= threshold * judged - 1e-9;
  box.style.setProperty("--fits", fits / judged);
  box.style.setProperty("--threshold", threshold);
  const left = marks.length - judged;
  const said = [text(reached ? "tally-reached" : "tally-under", { fits, judged, percent }), text(left ? "tally-left" : "tally-all", { left })];
  document.getElementById("tally-text").textContent = said.join(" ");
}
