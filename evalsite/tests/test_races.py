"""Many windows of one rater at once, over real connections: an item is answered once, whatever the timing."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.urls import reverse

from annotation.management.simulated_rater import SimulatedRater
from annotation.models import Assignment, Evaluator, Judgment
from annotation.tests.factories import PASSWORD, make_open_study, make_rater

WINDOWS = 6


def open_window(url: str, username: str, password: str) -> SimulatedRater:
    window = SimulatedRater(url)
    window.sign_in(username, password)
    return window


@pytest.mark.django_db(transaction=True)
def test_windows_that_answer_the_same_item_at_once_make_one_judgment(live_server):
    study = make_open_study()
    rater = Evaluator.objects.get(user_id=make_rater(study))
    windows = [open_window(live_server.url, rater.user.username, PASSWORD) for _ in range(WINDOWS)]
    gate = threading.Barrier(WINDOWS)

    def answer_all(number: int) -> list[bool]:
        """Answer every item at the same moment as the other windows; whether each answer was told to be a duplicate."""
        duplicates = []
        while (assignment := windows[number]._next(study.slug)) is not None:
            gate.wait(timeout=30)
            body = {"verdict": "no", "confidence": 1, "key": f"window-{number}-{assignment}"}
            duplicates.append(windows[number]._json(reverse("evaluator:answer", args=[assignment]), body)["duplicate"])
            gate.wait(timeout=30)
        return duplicates

    with ThreadPoolExecutor(WINDOWS) as pool:
        told = list(pool.map(answer_all, range(WINDOWS)))
    for window in windows:
        window.close()
    items = Assignment.objects.filter(seat__study=study, seat__evaluator=rater).count()
    assert Judgment.objects.count() == items
    assert set(Judgment.objects.values_list("version", "is_current")) == {(1, True)}
    for at_once in zip(*told, strict=True):
        assert sorted(at_once) == [False] + [True] * (WINDOWS - 1)
