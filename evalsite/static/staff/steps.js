// The launch form step by step. Without this script it is one long page, whose list of steps leads to its parts.

const form = document.getElementById("design-form");
const steps = [...form.querySelectorAll("[data-step]")];
const links = [...document.querySelectorAll(".steps a")];
const [back, next, done, all] = ["step-back", "step-next", "step-done", "steps-all"].map((id) => document.getElementById(id));
let current = 0;

const at = (hash) => steps.findIndex((step) => `#${step.dataset.step}` === hash);
const isFaulty = (step) => Boolean(step.querySelector(".error-text, [aria-invalid='true']"));

function show(index, { focus = true } = {}) {
  current = index;
  steps.forEach((step, number) => { step.hidden = number !== index; });
  links.forEach((link, number) => {
    if (number === index) link.setAttribute("aria-current", "step");
    else link.removeAttribute("aria-current");
  });
  back.hidden = index === 0;
  next.hidden = index === steps.length - 1;
  done.classList.toggle("primary", next.hidden);
  if (focus) {
    const heading = steps[index].querySelector("h2");
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }
  form.dispatchEvent(new CustomEvent("step", { detail: steps[index].dataset.step }));
}

// A step is an address of its own, so that the browser's way back leads to the step before.
function go(index) {
  location.hash = steps[index].dataset.step;
}

function showAll() {
  for (const step of steps) step.hidden = false;
  for (const button of [back, next, all]) button.hidden = true;
  done.classList.add("primary");
  window.removeEventListener("hashchange", follow);
  form.removeEventListener("keydown", enter);
}

function follow() {
  const index = at(location.hash);
  if (index >= 0) show(index);
}

// Enter in a field goes on, and only on the last step it sends the form.
function enter(event) {
  if (event.key !== "Enter" || !event.target.matches("input, select")) return;
  event.preventDefault();
  if (next.hidden) form.requestSubmit(done);
  else go(current + 1);
}

back.addEventListener("click", () => go(current - 1));
next.addEventListener("click", () => go(current + 1));
all.addEventListener("click", showAll);
window.addEventListener("hashchange", follow);
form.addEventListener("keydown", enter);
form.action = location.pathname + location.search; // or the step would stay in the address of the page that comes next
all.hidden = false;
links.forEach((link, number) => link.classList.toggle("faulty", isFaulty(steps[number])));
const faulty = steps.findIndex(isFaulty);
show(faulty >= 0 ? faulty : Math.max(0, at(location.hash)), { focus: faulty >= 0 });
