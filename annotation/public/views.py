"""Look up the hash of a frozen protocol. No answer holds an arm or a network; a title only if the protocol says so.

Made to be asked often: an address holds the hash, needs no account, no session and no cookie, reads one row by an
index, and may be kept by caches for a minute. A pasted file is only hashed, kept nowhere, and answered by that address.
"""

import hashlib
import re

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from annotation.selectors import VersionKnown, version_known

HASH = re.compile(r"(?:sha256:)?([0-9a-f]{64})(?:\s+\*?\S+)?", re.IGNORECASE)  # as sha256sum prints it


# Without a token on purpose: nothing is changed, so nobody can be made to change something, and no cookie is needed.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """A form for a file, its text, or a hash; a POST leads to the address of the hash."""
    if request.method != "POST":
        return render(request, "annotation/public/ask.html", {})
    sha256 = _sha256_sent(request)
    if sha256 is None:
        page = {"problem": _("Paste a protocol or its sha256, or choose a file.")}
        return render(request, "annotation/public/ask.html", page, status=400)
    return redirect("verify:known", sha256=sha256)


@require_safe
def known(request: HttpRequest, sha256: str) -> HttpResponse:
    found: VersionKnown | None = version_known(sha256)
    page = {"sha256": sha256, "found": found}
    response = render(request, "annotation/public/known.html", page, status=200 if found else 404)
    # The head of the page names who is signed in; only a page that names nobody may lie in a shared cache.
    shared = "private" if request.user.is_authenticated else "public"
    patch_cache_control(response, max_age=60, **{shared: True})
    return response


def _sha256_sent(request: HttpRequest) -> str | None:
    """The hash that was sent, or the hash of the file or text that was sent. A text loses what pasting adds."""
    if file := request.FILES.get("file"):
        digest = hashlib.sha256()
        for chunk in file.chunks():
            digest.update(chunk)
        return digest.hexdigest()
    text = request.POST.get("text", "").strip()
    if found := HASH.fullmatch(text):
        return found[1].lower()
    return hashlib.sha256(text.encode()).hexdigest() if text else None
