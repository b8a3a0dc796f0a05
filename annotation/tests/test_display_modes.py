"""Marks: what every mode promises, whatever a neuron does."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from annotation.design import DesignRefused
from annotation.protocols.display import (
    MATCHED_COUNTS,
    RANK_COUNTS,
    even_cut,
    mark_matched,
    mark_peak,
    mark_proportional,
    mark_rank,
)
from annotation.protocols.task import CannotCompose
from annotation.services.showing import Showing
from annotation.tests.factories import FakeMaterial, make_design, make_frozen_study

activations = st.floats(-5, 20, allow_nan=False)
words = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=9)


@st.composite
def snippets(draw, fewest=8):
    pieces = draw(st.lists(st.tuples(words, activations), min_size=fewest, max_size=20))
    return pieces, draw(st.integers(0, len(pieces) - 1))


def bands(marked):
    return sorted(band for _, band in marked if band)


@given(snippets())
def test_rank_marks_the_same_number_of_tokens_in_each_band_of_every_snippet(snippet):
    counts = {1: RANK_COUNTS[1], 2: RANK_COUNTS[0], 3: 1}
    assert bands(mark_rank(*snippet)) == sorted(band for band, count in counts.items() for _ in range(count))


@given(st.lists(snippets(), min_size=1, max_size=6))
def test_matched_marks_the_same_number_of_tokens_in_each_band_of_every_neuron(shown):
    marked = mark_matched(shown)
    together = [band for snippet in marked for band in bands(snippet)]
    assert [together.count(band) for band in (3, 2, 1)] == [len(shown) * count for count in (1, *MATCHED_COUNTS)]
    assert all(bands(snippet)[-1] == 3 and bands(snippet).count(3) == 1 for snippet in marked)


@given(st.lists(snippets(), min_size=1, max_size=4), st.floats(0.01, 100))
def test_no_mode_but_proportional_knows_how_strong_a_neuron_is_or_how_fast_it_fades(shown, factor):
    """A power and a factor, as between two activation functions, change no mark."""
    grown = [([(text, factor * np.sign(a) * abs(a) ** 3) for text, a in pieces], peak) for pieces, peak in shown]
    values = [a for pieces, _ in shown for _, a in pieces]
    assume(len(set(values)) == len({a for pieces, _ in grown for _, a in pieces}))  # no tie is made or broken
    assert mark_matched(grown) == mark_matched(shown)
    assert [mark_rank(*one) for one in grown] == [mark_rank(*one) for one in shown]
    assert [mark_peak(*one, 3) for one in grown] == [mark_peak(*one, 3) for one in shown]


@given(st.lists(snippets(), min_size=1, max_size=4))
def test_marking_changes_no_letter(shown):
    texts = ["".join(text for text, _ in pieces) for pieces, _ in shown]
    assert ["".join(text for text, _ in marked) for marked in mark_matched(shown)] == texts
    assert ["".join(text for text, _ in mark_rank(*one)) for one in shown] == texts


@given(snippets(fewest=1), st.integers(0, 40), st.integers(1, 60))
def test_an_even_cut_has_the_characters_asked_for_wherever_the_text_has_them(snippet, before, characters):
    pieces, peak = snippet
    cut, place = even_cut(pieces, peak, before, characters)
    text, whole = ("".join(text for text, _ in some) for some in (cut, pieces))
    assert len(text) == min(characters, len(whole))
    assert text in whole
    assert cut[place][1] == pieces[peak][1]
    assert cut[place][0] == pieces[peak][0] or len(pieces[peak][0]) > characters


def test_too_few_tokens_are_refused_and_not_marked_short():
    short = [("a", 1.0), ("b", 2.0)]
    for mark in (lambda: mark_rank(short, 1), lambda: mark_matched([(short, 1)])):
        with pytest.raises(ValueError, match="leave this neuron out"):
            mark()
    with pytest.raises(ValueError, match="never fires"):
        mark_proportional(short, 0.0, 5)


@pytest.mark.django_db
@pytest.mark.parametrize("display", ["peak", "rank", "matched", "proportional"])
def test_a_study_is_frozen_in_every_mode_and_marks_as_it_promises(display):
    items = list(make_frozen_study(display=display, even_characters=60).items.all())
    counts = {tuple(sorted(band for snippet in item.snippets for _, band in snippet if band)) for item in items}
    assert (len(counts) == 1) is (display != "proportional")
    lengths = {sum(len(text) for text, _ in snippet) for item in items for snippet in item.snippets}
    assert max(lengths) == 60


def test_matched_is_refused_where_not_all_that_is_marked_is_shown_together():
    with pytest.raises(DesignRefused, match="it is for first_glance, rubric"):
        make_design(display="matched", protocol="intruder")


class Whole(FakeMaterial):
    maximum = 100.0


def test_a_cut_too_short_for_the_marks_sets_the_neuron_aside():
    showing = Showing(make_design(display="rank", even_characters=10), Whole())
    with pytest.raises(CannotCompose, match="cut to 10 characters"):
        showing.top(2)
