// The answer form: read it, fill it, say what is missing, count the marks.

export function read(form) {
  const data = new FormData(form);
  const rows = form.querySelectorAll(".snippet.markable");
  const marks = [...rows].map((row) => row.querySelector("input:checked")?.value ?? "");
  return {
    verdict: data.get("verdict") ?? "",
    confidence: data.get("confidence") ? Number(data.get("confidence")) : null,
    rule: data.get("rule"),
    marks: marks.some(Boolean) ? marks : [],
  };
}

export function fill(form, answer) {
  pick(form, "verdict", answer.verdict);
  pick(form, "confidence", answer.confidence === null ? "" : String(answer.confidence));
  form.elements.rule.value = answer.rule;
  form.querySelectorAll(".snippet.markable").forEach((row, index) => {
    for (const input of row.querySelectorAll("input[type=radio]")) input.checked = input.value !== "" && input.value === answer.marks[index];
  });
}

function pick(form, name, value) {
  for (const input of form.querySelectorAll(`input[name=${name}]`)) input.checked = input.value === value;
}

export function isEmpty(answer) {
  return !answer.verdict && !answer.rule && answer.confidence === null && answer.marks.length === 0;
}

// -> {field, message} or null. The server checks again; this only spares the round trip.
export function problem(answer) {
  if (!answer.verdict) return { field: "verdict", message: "Choose Yes, No or Cannot judge." };
  if (answer.verdict !== "cannot" && answer.confidence === null) {
    return { field: "confidence", message: "Say how sure you are: guess, fairly or sure." };
  }
  if (answer.verdict === "yes" && !answer.rule.trim()) {
    return { field: "rule", message: "Write the rule or category in a few words: a Yes needs one." };
  }
  return null;
}

export function showProblem(form, found) {
  const line = document.getElementById("form-error");
  for (const element of form.querySelectorAll("[aria-invalid]")) element.removeAttribute("aria-invalid");
  line.hidden = found === null;
  line.textContent = found?.message ?? "";
  const target = found && form.querySelector(`[name=${CSS.escape(found.field || "verdict")}]`);
  if (!target) return;
  if (target.type !== "radio") target.setAttribute("aria-invalid", "true");
  target.focus();
}

// The share of fits among the marked snippets against the protocol's threshold, as the protocol counts it.
export function showTally(form) {
  const box = document.getElementById("tally");
  const threshold = Number(form.dataset.threshold);
  const rows = [...form.querySelectorAll(".snippet.markable")];
  const marks = rows.map((row) => row.querySelector("input:checked")?.value ?? "");
  rows.forEach((row, index) => {
    row.classList.toggle("fits", marks[index] === "fits");
    row.classList.toggle("misfits", marks[index] === "misfits");
  });
  const fits = marks.filter((mark) => mark === "fits").length;
  const judged = marks.filter(Boolean).length;
  box.hidden = judged === 0;
  if (judged === 0) return;
  const percent = Math.round(threshold * 100);
  const reached = fits >= threshold * judged - 1e-9;
  box.style.setProperty("--fits", fits / judged);
  box.style.setProperty("--threshold", threshold);
  document.getElementById("tally-text").textContent =
    `${fits} of ${judged} marked snippets fit: ${reached ? `at least ${percent} %` : `under ${percent} %`}. ` +
    (judged < rows.length ? `${rows.length - judged} not marked.` : "All are marked.");
}
