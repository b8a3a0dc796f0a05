"""What the staff wrote to raters, until it is read. To all of a study or to one rater; never by what they rate."""

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404
from django.utils import timezone

from annotation.blinding.pages import BlindNotice
from annotation.models import Evaluator, MessageRead, RaterMessage, Study

SHOWN_STATES = (Study.State.FROZEN, Study.State.OPEN)


def notices_for(user_id: int | None, study: str = "") -> tuple[BlindNotice, ...]:
    """The rater's unread messages, oldest first; of one study, if it is named. None: a person who was erased."""
    if user_id is None:
        return ()
    rows = _unread(user_id).filter(study__slug=study) if study else _unread(user_id)
    return tuple(
        BlindNotice(
            notice=row.public_id,
            study=row.study.slug,
            title=row.study.title,
            text=row.text,
            sent=f"{row.sent_at:%Y-%m-%d %H:%M} UTC",
        )
        for row in rows.select_related("study").defer("study__protocol", "study__design").order_by("pk")
    )


def blind_notice_read(user_id: int, notice: str) -> str:
    """Note that a rater has read a message; the study it is about. Reading it twice is no harm."""
    row = _mine(user_id).filter(public_id=notice).select_related("study").first()
    if row is None:
        raise Http404
    evaluator = Evaluator.objects.get(user_id=user_id)
    MessageRead.objects.get_or_create(message=row, evaluator=evaluator, defaults={"at": timezone.now()})
    return str(row.study.slug)


def _mine(user_id: int) -> QuerySet[RaterMessage]:
    """Messages of studies in which this rater has a seat now."""
    return RaterMessage.objects.filter(
        Q(evaluator__isnull=True) | Q(evaluator__user_id=user_id),
        study__seats__evaluator__user_id=user_id,
        study__state__in=SHOWN_STATES,
        taken_back_at__isnull=True,
    )


def _unread(user_id: int) -> QuerySet[RaterMessage]:
    read = MessageRead.objects.filter(message=OuterRef("pk"), evaluator__user_id=user_id)
    return _mine(user_id).filter(~Exists(read))
