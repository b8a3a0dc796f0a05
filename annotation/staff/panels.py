"""What the study's page shows of its log, its protocol's versions, its raters' messages and what needs a look."""

from typing import Any

from django.utils import timezone

from annotation.audit import anchor, chain_of
from annotation.models import ProtocolVersion, RaterMessage, Study
from annotation.selectors import seats_needing_attention
from annotation.services.unblinding import request_open, unblinders_needed
from annotation.staff.leaks import leak_panel


def panels(study: Study) -> dict[str, Any]:
    """Pooled facts only: nothing here is known by arm."""
    return {
        "anchor": anchor(chain_of(study)),
        "versions": list(ProtocolVersion.objects.filter(study=study).defer("text").select_related("by__user")),
        "attention": seats_needing_attention(study, timezone.now()),
        "messages_sent": RaterMessage.objects.filter(study=study).count(),
        "unblinding_request": request_open(study) if study.state == Study.State.CLOSED else None,
        "unblinders": unblinders_needed(study),
        "leaks": leak_panel(study),
    }
