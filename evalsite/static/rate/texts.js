// What the script says, in the page's language: the template's <template id="rate-texts"> holds the sentences.

const texts = document.getElementById("rate-texts");

export function text(name, values = {}) {
  const found = texts.content.querySelector(`[data-text="${name}"]`).textContent;
  return found.replace(/\{(\w+)\}/g, (whole, key) => String(values[key] ?? whole));
}
