"""The task and its display: marks that tell nothing apart, practice items in the form of items, planted answers."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.protocols import TASKS, display, first_glance, practice
from annotation.protocols.simulated import Behaviour, plant_truth, simulated_answer
from annotation.protocols.task import Answer, Shown
from annotation.tests.factories import make_composition

activations = st.floats(-100, 100, allow_nan=False, width=32)
pieces = st.lists(st.tuples(st.text(min_size=1, max_size=4), activations), min_size=3, max_size=60)


def peak_of(snippet):
    return max(range(len(snippet)), key=lambda i: snippet[i][1])


@given(pieces, st.integers(1, 3))
def test_peak_marks_exactly_as_many_tokens_as_asked_and_one_of_them_strongest(snippet, marked):
    bands = sorted(band for _, band in display.mark_peak(snippet, peak_of(snippet), marked) if band)
    assert bands == [1] * (marked - 1) + [2]


@given(pieces, st.integers(1, 3), st.floats(0.01, 100))
def test_peak_marks_do_not_depend_on_the_scale_of_the_activations(snippet, marked, scale):
    snippet = [(text, float(round(value))) for text, value in snippet]
    scaled = [(text, value * scale) for text, value in snippet]
    peak = peak_of(snippet)
    assert display.mark_peak(snippet, peak, marked) == display.mark_peak(scaled, peak, marked)


@given(pieces, st.integers(1, 3), st.integers(2, 9))
def test_no_text_is_lost_and_unmarked_neighbours_are_joined(snippet, marked, bands):
    text = "".join(text for text, _ in snippet).replace("\x00", display.NUL_SHOWN)
    for shown in (
        display.mark_peak(snippet, peak_of(snippet), marked),
        display.mark_proportional(snippet, 100.0, bands),
    ):
        assert "".join(piece for piece, _ in shown) == text
        assert not any(a[1] == b[1] == 0 for a, b in itertools.pairwise(shown))


def test_equal_activations_are_marked_by_position():
    snippet = [("a", 0.0), ("b", 0.0), ("c", 5.0), ("d", 0.0)]
    assert display.mark_peak(snippet, 2, 3) == [("a", 1), ("b", 1), ("c", 2), ("d", 0)]


@given(pieces, st.integers(2, 9))
def test_proportional_bands_lie_between_unmarked_and_the_number_of_bands(snippet, bands):
    maximum = max(0.001, *(value for _, value in snippet))
    shown = [band for _, band in display.mark_proportional(snippet, maximum, bands)]
    assert all(0 <= band <= bands for band in shown)
    assert max(shown) == bands or maximum == 0.001


def test_proportional_bands_have_equal_width():
    snippet = [(str(value), float(value)) for value in range(1, 11)]
    bands = [band for _, band in display.mark_proportional(snippet, 10.0, 5)]
    assert bands == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_a_neuron_that_never_fires_cannot_be_shaded_and_too_few_tokens_cannot_be_marked():
    with pytest.raises(ValueError, match="never fires"):
        display.mark_proportional([("a", 0.0)], 0.0, 5)
    with pytest.raises(ValueError, match="1 pieces to mark 2"):
        display.mark_peak([("a", 1.0)], 0, 2)


@pytest.mark.parametrize("item", practice.PRACTICE, ids=lambda item: item.expected)
def test_a_practice_item_has_the_form_of_an_item_and_a_verdict_with_reasons(item):
    stored = item.as_json()
    assert len(stored["snippets"]) == 10
    for snippet in stored["snippets"]:
        assert sorted(band for _, band in snippet if band) == [1, 1, 2]
        assert not any(mark in text for text, _ in snippet for mark in "[]{}")
    assert len(stored["marks"]) in {0, 10}
    assert len(stored["text"]) > 100


def test_the_practice_item_with_a_rule_reaches_the_threshold_and_the_other_marks_nothing_twice():
    clear, unclear = practice.PRACTICE
    assert first_glance.mark_count(clear.marks, 10).reaches
    peaks = [text for snippet in unclear.as_json()["snippets"] for text, band in snippet if band == 2]
    assert len(set(peaks)) == 10


@pytest.mark.parametrize(
    ("fits", "misfits", "reaches"),
    [(0, 0, None), (4, 1, True), (3, 1, False), (16, 4, True), (15, 4, False), (7, 2, False)],
)
def test_the_live_count_compares_whole_snippets_with_the_threshold(fits, misfits, reaches):
    assert first_glance.mark_count(["fits"] * fits + ["misfits"] * misfits, 20).reaches is reaches


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())
@given(st.integers(0, 2**32), st.booleans(), st.integers(20, 40))
def test_a_simulated_answer_is_one_that_the_task_accepts(task, seed, interpretable, snippets):
    composed = make_composition(task, snippets=snippets)
    composed = composed.prediction or composed
    shown = Shown(len(composed.snippets), composed.layout)
    answer = simulated_answer(
        np.random.default_rng(seed),
        task,
        interpretable=interpretable,
        shown=shown,
        truth=composed.truth,
        behaviour=Behaviour(cannot=0.3),
    )
    assert 0 < answer.pop("active_ms") <= answer.pop("wall_ms")
    assert task.answer_problem(task.cleaned(Answer(**answer)), shown) is None


def test_without_error_simulated_raters_answer_the_planted_truth():
    rng, behaviour = np.random.default_rng(1), Behaviour(error=0.0, cannot=0.0)
    task, shown = TASKS["first_glance"], Shown(snippets=20)
    for truth, verdict in ((True, "yes"), (False, "no")):
        answer = simulated_answer(rng, task, interpretable=truth, shown=shown, truth={}, behaviour=behaviour)
        assert answer["verdict"] == verdict


@given(st.integers(0, 2**32), st.integers(1, 200), st.floats(0, 1))
def test_the_planted_share_is_exact_up_to_rounding(seed, neurons, share):
    truth = plant_truth(np.random.default_rng(seed), range(neurons), share)
    assert len(truth) == neurons
    assert sum(truth.values()) == round(share * neurons)
