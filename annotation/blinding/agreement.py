"""Whether a rater has answered the consent text as it stands now."""

from annotation.models import ConsentRecord, RaterKind, Seat


def consent_missing(seat: Seat) -> bool:
    """Whether the consent page comes first: never seen, changed since, refused where it is required, or withdrawn.

    Programs agree to nothing; who lets them rate answers for them.
    """
    shown = seat.study.rater_text.get("consent")
    if shown is None or seat.kind != RaterKind.HUMAN:
        return False
    last = consent_last(seat)
    if last is None or last.version != shown["version"] or last.answer == ConsentRecord.Answer.WITHDRAWN:
        return True
    return bool(shown["required"]) and last.answer != ConsentRecord.Answer.AGREED


def consent_last(seat: Seat) -> ConsentRecord | None:
    """The rater's latest answer to any version of the study's text."""
    records = ConsentRecord.objects.filter(study_id=seat.study_id, evaluator__seats=seat)
    return records.order_by("-id").first()
