"""The log of edits: what was done, undone, and sent back by a browser."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurons.views.live_edits import MOST_CHARACTERS, MOST_EDITS, EditLog, difference, log_from_json

TEXTS = st.text("ab é\n🙂", max_size=12)


def read(*readings) -> EditLog:
    """A log after (text, peak, typed) …"""
    log = EditLog()
    for text, peak, typed in readings:
        log = log.read(text, peak, typed=typed)
    return log


@given(TEXTS, TEXTS)
def test_a_difference_is_what_makes_the_new_text_from_the_old_one(old, new):
    start, removed, inserted = difference(old, new)
    assert old[start : start + len(removed)] == removed
    assert old[:start] + inserted + old[start + len(removed) :] == new


@given(st.lists(st.tuples(TEXTS, st.floats(-5, 5), st.booleans()), min_size=1, max_size=8))
def test_undoing_every_edit_leads_back_to_the_first_text(readings):
    log = read(*readings)
    assert log.text == readings[-1][0]
    assert log.first_peak == readings[0][1]
    while log.edits:
        log = log.undone()
    assert log.text == readings[0][0]


@given(st.lists(st.tuples(TEXTS, st.floats(-5, 5), st.booleans()), max_size=8))
def test_a_log_survives_the_browser(readings):
    log = read(*readings)
    assert log_from_json(log.to_json()) == log


def test_what_is_typed_in_one_go_is_one_edit_and_each_click_is_its_own():
    log = read(("a cat", 1.0, True), ("a cat s", 1.5, True), ("a cat sat", 2.0, True))
    assert [(edit.removed, edit.inserted, edit.before, edit.after) for edit in log.edits] == [("", " sat", 1.0, 2.0)]
    log = log.read("cat sat", 0.5, typed=False).read("cat", 0.25, typed=False)
    assert [(edit.removed, edit.typed) for edit in log.edits] == [("", True), ("a ", False), (" sat", False)]


def test_typing_that_is_taken_back_leaves_no_edit():
    assert read(("a cat", 1.0, True), ("a cat sat", 2.0, True), ("a cat", 1.0, True)).edits == ()


def test_reading_the_same_text_again_is_no_edit():
    log = read(("a cat", 1.0, True), ("a cat", 1.0, False))
    assert (log.edits, log.peak) == ((), 1.0)


@pytest.mark.parametrize(
    "sent",
    [
        "", "null", "[]", "7", "{}", '{"text": 3, "peak": null, "first_peak": null, "edits": []}',
        '{"text": "\\ud800", "peak": null, "first_peak": null, "edits": []}',
        '{"text": "a", "peak": NaN, "first_peak": null, "edits": []}',
        '{"text": "a", "peak": 1, "first_peak": 1, "edits": [{"start": -1}]}',
        '{"text": "a", "peak": 1, "first_peak": 1, "edits": 5}',
        "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_log_is_an_empty_one(sent):
    assert log_from_json(sent) == EditLog()


def test_a_long_log_forgets_its_oldest_edits():
    log = read(("start", 0.0, True))
    for number in range(MOST_EDITS + 5):
        log = log.read(f"{number} " * 3_000, float(number), typed=False)
    assert len(log.edits) == MOST_EDITS
    written = log.to_json()
    assert len(written) <= MOST_CHARACTERS
    kept = json.loads(written)["edits"]
    assert kept
    assert kept[-1]["after"] == float(MOST_EDITS + 4)
