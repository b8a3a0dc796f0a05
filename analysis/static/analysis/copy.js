// Puts the paragraphs on the clipboard; the button is there only where a browser can do that.
const button = document.querySelector("[data-copy]");
const said = document.querySelector("[data-copied]");
if (button && navigator.clipboard) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    said.textContent = said.dataset.copied;
  });
}
