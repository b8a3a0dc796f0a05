// What must survive a lost connection or a closed tab, per signed-in user. Falls back to this page's memory where the
// browser forbids storage.

const user = document.body.dataset.user || "nobody";
const memory = new Map();

function fullName(name) {
  return `blindscope:${user}:${name}`;
}

export function put(name, value) {
  const text = JSON.stringify(value);
  memory.set(fullName(name), text);
  try {
    localStorage.setItem(fullName(name), text);
    return true;
  } catch {
    return false;
  }
}

export function get(name) {
  let text = memory.get(fullName(name)) ?? null;
  try {
    text = localStorage.getItem(fullName(name)) ?? null;
  } catch {
    // memory's copy is all there is
  }
  return text === null ? null : JSON.parse(text);
}

export function remove(name) {
  memory.delete(fullName(name));
  try {
    localStorage.removeItem(fullName(name));
  } catch {
    // nothing was stored
  }
}

export function names(prefix) {
  const start = fullName(prefix);
  let all = [...memory.keys()];
  try {
    all = Object.keys(localStorage);
  } catch {
    // memory's names are all there are
  }
  return all.filter((name) => name.startsWith(start)).map((name) => name.slice(fullName("").length));
}

// callback(name) when another window of this user takes something away.
export function onRemovedElsewhere(prefix, callback) {
  window.addEventListener("storage", (event) => {
    if (event.newValue === null && event.key?.startsWith(fullName(prefix))) callback(event.key.slice(fullName("").length));
  });
}
