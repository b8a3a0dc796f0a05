"""The spectrum: bands of activation that look alike, in an order that only the sealed truth tells."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.blinding import blind_judgment_submit, blind_next
from annotation.models import Item, Judgment
from annotation.protocols.spectrum import DEFAULT_BANDS, Spectrum, band_name, band_verdicts, bands_problem
from annotation.protocols.task import Answer, CannotCompose, Shown
from annotation.sealed.models import SealedKey
from annotation.tests.factories import FakeMaterial, make_answer, make_composition, make_open_study, make_rater

SPECTRUM = Spectrum()
BANDS = [band_name(band) for band in DEFAULT_BANDS]
# How the texts of a `FakeMaterial` begin, by band.
SIGNS = dict(
    zip(BANDS, (" top", " between0.99to0.999n", " between0.9to0.99n", " between0.5to0.9n", " silent"), strict=True)
)


def texts(composed):
    return ["".join(text for text, _ in snippet) for snippet in composed.snippets]


@given(st.integers(5, 60), st.integers(0, 2**32))
def test_every_snippet_is_in_one_group_none_comes_twice_and_sizes_differ_by_one_at_most(snippets, seed):
    composed = make_composition(SPECTRUM, snippets=snippets, seed=seed)
    groups = composed.layout["groups"]
    assert [number for group in groups for number in group] == list(range(snippets))
    assert len(set(texts(composed))) == snippets
    assert {len(group) for group in groups} <= {snippets // 5, snippets // 5 + 1}


@given(st.integers(0, 2**32))
def test_the_truth_says_which_band_each_group_is(seed):
    composed = make_composition(SPECTRUM, seed=seed)
    kinds = composed.truth["kinds"]
    assert sorted(kinds.values()) == sorted(BANDS)
    for number, group in enumerate(composed.layout["groups"], start=1):
        sign = SIGNS[kinds[f"group_{number}"]]
        assert [place for place in group if not texts(composed)[place].startswith(sign)] == []


@given(st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_page_and_every_band_carries_the_same_marks(seed):
    composed = make_composition(SPECTRUM, seed=seed)
    assert composed == make_composition(SPECTRUM, seed=seed)
    assert {tuple(sorted(band for _, band in snippet)) for snippet in composed.snippets} == {(0, 0, 2)}


def test_the_bands_come_in_every_order():
    first = [make_composition(SPECTRUM, seed=seed).truth["kinds"]["group_1"] for seed in range(60)]
    assert set(first) == set(BANDS)


def test_a_text_of_the_strongest_snippets_is_not_shown_again_in_a_weaker_band():
    class Repeats(FakeMaterial):
        def between(self, low, high, count, rng):
            return [*self.top(1), *super().between(low, high, count - 1, rng)]

    composed = make_with(Repeats(), bands=[[0.9, 0.99], "top"])
    assert len(set(texts(composed))) == 8


def test_a_band_with_too_few_texts_is_a_reason_to_leave_the_neuron_out():
    class Narrow(FakeMaterial):
        def between(self, low, high, count, rng):
            if count > 4:
                raise CannotCompose("4 different texts")
            return super().between(low, high, count, rng)

    assert len(make_with(Narrow(), bands=["top", [0.9, 0.99]]).snippets) == 8
    with pytest.raises(CannotCompose, match="4 different texts"):
        make_with(Narrow(), snippets=10, bands=["top", [0.9, 0.99]])
    with pytest.raises(CannotCompose, match="plan at least one for each"):
        make_with(Narrow(), snippets=1, bands=["top", "silent"])


def make_with(material, snippets=8, **options):
    return SPECTRUM.compose(
        material,
        snippets=snippets,
        options=SPECTRUM.options_filled(options),
        marker=lambda snippet: [],
        rng=np.random.default_rng(3),
    )


@pytest.mark.parametrize(
    ("bands", "said"),
    [
        (["top", [0.5, 0.9], "silent"], None),
        ("top", "give a list of bands"),
        (["top", "top"], "different bands"),
        (["top", [0.9, 0.5]], "two rising shares"),
        (["top", "loud"], "'silent'"),
        ([["a", "b"], "top"], "two rising shares"),
    ],
)
def test_bands_are_checked(bands, said):
    problem = bands_problem(bands)
    assert problem is None if said is None else said in problem


SHOWN = Shown(snippets=6, layout={"groups": [[0, 1], [2, 3], [4, 5]]})


@pytest.mark.parametrize(
    ("verdict", "responses", "field"),
    [
        ("yes", {"group_1": "yes", "group_2": "no", "group_3": "cannot"}, None),
        ("yes", {"group_1": "yes", "group_3": "no"}, "r_group_2"),
        ("yes", {"group_1": "maybe", "group_2": "no", "group_3": "no"}, "r_group_1"),
        ("yes", {"group_1": "no", "group_2": "no", "group_3": "cannot"}, "verdict"),
        ("yes", {"group_1": "yes", "group_2": "no", "group_3": "no", "group_4": "no"}, "r_group_1"),
        ("no", {}, None),
        ("no", {"group_1": "no"}, None),
        ("cannot", {}, None),
    ],
)
def test_a_yes_needs_a_verdict_on_every_group_and_one_in_which_the_rule_holds(verdict, responses, field):
    answer = SPECTRUM.cleaned(make_answer(verdict, responses=responses))
    problem = SPECTRUM.answer_problem(answer, SHOWN)
    assert (problem and problem.field) == field


def test_an_interpretable_share_by_band_follows_from_verdicts_and_sealed_bands():
    truth = {"kinds": {"group_1": "silent", "group_2": "top", "group_3": "90–99 %"}}
    said = Answer(verdict="yes", responses={"group_1": "no", "group_2": "yes", "group_3": "cannot"})
    assert band_verdicts(said, truth) == {"silent": "no", "top": "yes", "90–99 %": "cannot"}
    assert set(band_verdicts(Answer(verdict="cannot"), truth).values()) == {"cannot"}


@pytest.mark.django_db
def test_a_frozen_spectrum_study_shows_groups_and_seals_their_bands():
    study = make_open_study(protocol="spectrum", snippets_per_neuron=10)
    user = make_rater(study)
    page = blind_next(user, study.slug)
    assert (page.task, len(page.layout["groups"]), len(page.snippets)) == ("spectrum", 5, 10)
    responses = {f"group_{number}": "yes" if number == 2 else "no" for number in range(1, 6)}
    blind_judgment_submit(user, page.assignment, make_answer("yes", responses=responses), "key-of-mine")
    assert Judgment.objects.get().responses == responses
    for key in SealedKey.objects.filter(study=study):
        assert sorted(key.truth["kinds"].values()) == sorted(BANDS)
    stored = str([*Item.objects.filter(study=study).values_list("layout", flat=True)])
    assert not any(band in stored for band in BANDS)
