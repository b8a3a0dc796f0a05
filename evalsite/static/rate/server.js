// Requests to our own server. The token is read at every request: signing in again in another tab changes it.

const TIMEOUT_MS = 20_000;

function csrfToken() {
  return document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/)?.[1] ?? "";
}

// -> {kind, data}. kind: "ok", "refused" (400), "unknown" (404), "closed" (409), "paused" (409 too, and goes on later),
// "signed-out", "unreachable".
export async function post(url, body, { keepalive = false } = {}) {
  let reply;
  try {
    reply = await fetch(url, {
      method: "POST",
      redirect: "manual",
      keepalive,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
      body: JSON.stringify(body),
    });
    if (reply.ok) return { kind: "ok", data: await reply.json() };
  } catch {
    return { kind: "unreachable", data: null };
  }
  if (reply.type === "opaqueredirect" || reply.status === 401 || reply.status === 403) return { kind: "signed-out", data: null };
  const data = await reply.json().catch(() => null);
  if (reply.status === 409 && data?.field === "paused") return { kind: "paused", data };
  return { kind: { 400: "refused", 404: "unknown", 409: "closed" }[reply.status] ?? "unreachable", data };
}

// -> {kind, doc, url}. kind: "ok", "signed-out", "unreachable".
export async function page(url) {
  try {
    const reply = await fetch(url, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (reply.url.includes("/accounts/login/")) return { kind: "signed-out" };
    if (!reply.ok) return { kind: "unreachable" };
    return { kind: "ok", doc: new DOMParser().parseFromString(await reply.text(), "text/html"), url: reply.url };
  } catch {
    return { kind: "unreachable" };
  }
}
