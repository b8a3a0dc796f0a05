"""For callers who may reach one study only."""

from django.http import Http404

from annotation.blinding.seats import own_assignment


def blind_belongs(user_id: int, study: str, assignment: str) -> None:
    """Raise `Http404` unless the item is on this rater's list in this study."""
    if own_assignment(user_id, assignment).seat.study.slug != study:
        raise Http404
