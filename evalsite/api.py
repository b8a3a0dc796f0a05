"""The API as a whole: which router is for whose token, one form of errors, one limit of rate.

Authentication is by `Authorization: Bearer` alone. Cookies are never looked at, so no page in a browser can act with a
session through the API, and no form token is needed.
"""

import logging
import re
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, Throttled, ValidationError
from ninja.operation import Operation
from ninja.security import HttpBearer
from ninja.throttling import BaseThrottle

from analysis.api import router as results
from analysis.services import StudyStillBlinded
from annotation.blinding import AnswerRefused, NotReady, StudyNotOpen
from annotation.design import DesignRefused
from annotation.evaluator.api import RaterKey
from annotation.evaluator.api import router as rating
from annotation.models import ApiToken, TokenRole
from annotation.services import IntakeRefused, StudyRefused
from annotation.services.tokens import token_find
from annotation.staff.api import StaffKey, auditing, creating, leading, watching
from evalsite.access import ADMIN, AUDITOR, MONITOR, STATISTICIAN, roles_of

logger = logging.getLogger(__name__)
# What the maker of a token must be allowed to at the moment of its use.
NEEDED = {
    TokenRole.CREATOR: ADMIN,
    TokenRole.ADMIN: ADMIN,
    TokenRole.MONITOR: MONITOR,
    TokenRole.AUDITOR: AUDITOR,
    TokenRole.STATISTICIAN: STATISTICIAN,
}
NOT_HERE = "There is no such thing here."
FAILED_LOOKUPS = "120/min"  # from one address


class Bearer(HttpBearer):
    """Takes tokens of some roles. An unknown, expired or revoked one is 401; one of another role is 403."""

    def __init__(self, *roles: TokenRole) -> None:
        super().__init__()
        self.roles = frozenset(roles)

    def authenticate(self, request: HttpRequest, token: str) -> RaterKey | StaffKey | None:
        found = token_find(token)
        if found is None or not _maker_may(found):
            _slow_down(request)
            return None
        if found.role not in self.roles:
            raise HttpError(403, f"A token of the role “{found.role}” does not open this.")
        slug = found.study.slug if found.study else ""
        user_id = found.evaluator.user_id if found.evaluator else None
        if found.role == TokenRole.EVALUATOR and user_id is not None:
            return RaterKey(user_id, slug)
        return StaffKey(found.pk, slug, found.made_by)


def _maker_may(token: ApiToken) -> bool:
    """A token does no more than the account that made it; one made by a command on the server has no account."""
    if token.role == TokenRole.EVALUATOR or token.made_by is None:
        return True
    # Whoever may lead a study may hand out any part of that.
    return bool(roles_of(token.made_by) & {NEEDED[TokenRole(token.role)], ADMIN})


class TokenRate(BaseThrottle):
    """So many requests of one token in each minute (second, hour). Holds no state, because threads share it."""

    def allow_request(self, request: HttpRequest) -> bool:
        most, seconds = rate_read(settings.API_RATE)
        return _count(f"api-rate:{request.auth.ident}", seconds) <= most  # type: ignore[attr-defined]

    def wait(self) -> float:
        return _left_of_window(rate_read(settings.API_RATE)[1])


def rate_read(text: str) -> tuple[int, int]:
    """Requests and seconds of a rate.

    >>> rate_read("600/min")
    (600, 60)
    """
    found = re.fullmatch(r"([1-9][0-9]*)/(s|min|h)", text)
    if found is None:
        raise ImproperlyConfigured(f"BLINDSCOPE_API_RATE is {text!r}; write it like 600/min, 10/s or 20000/h.")
    return int(found[1]), {"s": 1, "min": 60, "h": 3600}[found[2]]


def _count(name: str, seconds: int) -> int:
    """How often this was called with a name since the present window of time began."""
    key = f"{name}:{int(time.time() // seconds)}"
    cache.add(key, 0, 2 * seconds)
    try:
        return int(cache.incr(key))
    except ValueError:  # thrown out of the cache this very moment
        return 1


def _left_of_window(seconds: int) -> float:
    return seconds - time.time() % seconds


def _slow_down(request: HttpRequest) -> None:
    """So many requests without a good token from one address."""
    most, seconds = rate_read(FAILED_LOOKUPS)
    if _count(f"api-stranger:{request.META.get('REMOTE_ADDR', '')}", seconds) > most:
        raise Throttled(wait=int(_left_of_window(seconds)) + 1)


class BlindscopeApi(NinjaAPI):
    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The function's name: what clients made from the document call it."""
        return operation.view_func.__name__


api = BlindscopeApi(
    title="Blindscope",
    version="1",
    description="Rate blinded items, and lead studies. Every request carries “Authorization: Bearer” and a token for "
    "one study and one role. Errors are objects with “error” and “field”.",
    urls_namespace="api",
    docs_url=None,
    throttle=[TokenRate()],
)
Role = TokenRole
for path, router, roles in (
    ("/v1/rate", rating, (Role.EVALUATOR,)),
    ("/v1", creating, (Role.CREATOR,)),
    ("/v1", leading, (Role.ADMIN,)),
    ("/v1", watching, (Role.ADMIN, Role.MONITOR, Role.AUDITOR, Role.STATISTICIAN)),
    ("/v1", auditing, (Role.ADMIN, Role.AUDITOR)),
    ("/v1", results, (Role.ADMIN, Role.STATISTICIAN)),
):
    api.add_router(path, router, auth=Bearer(*roles))


def api_unknown(request: HttpRequest, rest: str) -> HttpResponse:
    """An address of the API that there is not."""
    return _error(request, 404, NOT_HERE)


def _error(request: HttpRequest, status: int, message: str, field: str = "") -> HttpResponse:
    return api.create_response(request, {"error": message, "field": field}, status=status)


def _answers(kind: type[Exception], status: int, told: Callable[[Any], tuple[str, str]]) -> None:
    api.add_exception_handler(kind, lambda request, error: _error(request, status, *told(error)))


_answers(Http404, 404, lambda error: (NOT_HERE, ""))
_answers(AnswerRefused, 400, lambda error: (error.message, error.field))
_answers(DesignRefused, 400, lambda error: (str(error), error.field))
_answers(NotReady, 409, lambda error: (str(error), error.where))
_answers(StudyNotOpen, 409, lambda error: (str(error), ""))
_answers(StudyRefused, 409, lambda error: (str(error), ""))
_answers(IntakeRefused, 409, lambda error: (str(error), error.field))
_answers(StudyStillBlinded, 409, lambda error: (str(error), ""))


@api.exception_handler(HttpError)
def _refused(request: HttpRequest, error: HttpError) -> HttpResponse:
    messages = {401: "Send a valid token: “Authorization: Bearer …”."}
    reply = _error(request, error.status_code, messages.get(error.status_code, str(error)))
    if error.status_code == 401:
        reply["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Throttled):
        reply["Retry-After"] = str(int(error.wait or 0) + 1)
    return reply


@api.exception_handler(ValidationError)
def _unreadable(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """The first part of a request that is not as documented."""
    first = error.errors[0]
    field = ".".join(str(part) for part in first["loc"][1:] if part not in {"body", "answer"})
    return _error(request, 422, f"{field or 'The body'}: {first['msg']}.", field)


@api.exception_handler(Exception)
def _broken(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("The API failed at %s %s", request.method, request.path, exc_info=error)
    return _error(request, 500, "Something broke here; try again with the same Idempotency-Key.")
