"""Messages that a provider's server sends."""

import json
import logging
import time
from datetime import UTC, datetime

from django.conf import settings
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from annotation.providers.signatures import MessageForged, message_check
from annotation.services.crowd_events import Message, crowd_event_take

logger = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def prolific(request: HttpRequest) -> JsonResponse:
    """Take in a message of Prolific, if it is genuine and fresh; the same message again is acknowledged and ignored."""
    if not settings.PROLIFIC_WEBHOOK_SECRET:
        raise Http404
    try:
        message = _message(request)
    except MessageForged as refusal:
        logger.warning("Provider message refused: %s", refusal)
        return JsonResponse({"error": "The signature is not valid.", "field": ""}, status=401)
    except ValueError as refusal:
        return JsonResponse({"error": str(refusal), "field": ""}, status=400)
    crowd_event_take(message=message)
    return JsonResponse({"received": True})


def _message(request: HttpRequest) -> Message:
    sent = message_check(
        secret=settings.PROLIFIC_WEBHOOK_SECRET,
        timestamp=request.headers.get("X-Prolific-Request-Timestamp", ""),
        body=request.body,
        given=request.headers.get("X-Prolific-Request-Signature", ""),
        now=time.time(),
    )
    event_id = request.headers.get("X-Event-Id", "")
    if not 1 <= len(event_id) <= 120:
        raise ValueError("The header X-Event-Id is missing.")
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise ValueError("The body is not a JSON object.")
    return Message(event_id, datetime.fromtimestamp(sent, UTC), body)
