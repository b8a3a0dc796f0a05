"""A machine rater: a program that takes part in a Blindscope study through its API.

Ask the study's admin to declare your program; you get a token, and the address of the site. Then

    BLINDSCOPE_TOKEN=bsk_… python machine_rater.py https://study.example.org

Replace `decide` by your own program. It gets what a person sees on the screen, and returns an answer. Everything else
is the conversation with the site: each answer has one random key, sent again with every retry, so that an answer whose
receipt got lost on the way is stored once. Python 3.11, standard library only.
"""

import json
import os
import secrets
import sys
import time
from collections import Counter
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

TRIES = 8
LONGEST_WAIT = 60  # seconds


class Refused(Exception):
    """The site understood and said no; trying again would not help."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body.get('error', 'no reason given')}")
        self.status, self.body = status, body


class Site:
    """One seat's side of the API."""

    def __init__(self, url, token, sleep=time.sleep):
        self.url, self.token, self.sleep = url.rstrip("/") + "/api/v1/rate", token, sleep

    def get(self, path):
        return self._call("GET", path)

    def post(self, path, body=None, key=None):
        return self._call("POST", path, body or {}, key)

    def _call(self, method, path, body=None, key=None):
        """Send until there is an answer; the same request, with the same key, each time."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, data, headers, method=method)  # noqa: S310  # the user's own address
        for number in range(TRIES):
            try:
                with urlopen(request, timeout=60) as reply:  # noqa: S310
                    return json.load(reply)
            except HTTPError as error:
                if error.code != 429 and error.code < 500:
                    raise Refused(error.code, _read(error)) from None
                wait, problem = error.headers.get("Retry-After", ""), f"the site answers {error.code}"
            except (URLError, HTTPException, OSError, ValueError) as error:
                wait, problem = "", f"the site cannot be reached ({error})"
            if number == TRIES - 1:
                raise SystemExit(f"Given up after {TRIES} tries: {problem}.")
            self.sleep(min(float(wait) if wait.isdecimal() else 2.0**number, LONGEST_WAIT))


def _read(error):
    try:
        return json.load(error)
    except ValueError:
        return {}


def decide(item):
    """Answer one item. `item` has `task`, `question`, `snippets` and `layout`; see the site's page /api/docs/.

    This one looks for a word that is marked in most snippets. A snippet is {"pieces": [{"text", "band"}, …]}; band 0 is
    unmarked, a higher band is a stronger activation.
    """
    marked = [
        {piece["text"].strip().lower() for piece in snippet["pieces"] if piece["band"] > 0}
        for snippet in item["snippets"]
    ]
    words = Counter(word for words in marked for word in words if word)
    word, count = words.most_common(1)[0] if words else ("", 0)
    if count < 0.8 * len(marked):
        return {"verdict": "no", "confidence": 2}
    return {"verdict": "yes", "confidence": 2, "rule": f"the word “{word}”"}


def prepare(site):
    """Read the instructions and answer the worked items, as every rater does."""
    site.get("/instructions")
    where = site.post("/instructions")["where"]
    while where.startswith("practice:"):
        number = where.partition(":")[2]
        page = site.get(f"/practice/{number}")
        site.post(f"/practice/{number}", decide(page))
        where = site.get("/status")["where"]


def rate(site, decide=decide):
    """Answer every item; the number answered."""
    answered = 0
    while True:
        page = site.get("/next")
        if page["kind"] == "done":
            return answered
        if page["kind"] == "waiting":
            site.sleep(60)  # what is left needs rules that other raters have not written yet
            continue
        item, started = page["item"], time.monotonic()
        answer = decide(item)
        answer["active_ms"] = answer["wall_ms"] = int(1000 * (time.monotonic() - started))
        site.post(f"/items/{item['assignment']}/answer", answer, key=secrets.token_hex(16))
        answered += 1


def main():
    if len(sys.argv) != 2 or not os.environ.get("BLINDSCOPE_TOKEN"):
        raise SystemExit("Give the site's address as the argument and the token in BLINDSCOPE_TOKEN.")
    site = Site(sys.argv[1], os.environ["BLINDSCOPE_TOKEN"])
    try:
        prepare(site)
        print(f"{rate(site)} items answered")
    except Refused as refusal:
        raise SystemExit(f"The site refused: {refusal}") from None


if __name__ == "__main__":
    main()
