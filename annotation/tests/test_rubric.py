"""The rubric: points that are summed by the server, and a verdict that follows from the sum."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.blinding import AnswerRefused, blind_judgment_submit, blind_next, blind_practice_answer
from annotation.models import Judgment
from annotation.protocols.rubric import ASKED, LOGITS, MOST, MOST_POINTS, POINTS, Rubric, total
from annotation.protocols.task import Answer, CannotCompose, Shown
from annotation.services import material
from annotation.tests.factories import FakeMaterial, expected_answer, make_composition, make_open_study, make_rater

RUBRIC = Rubric()
SHOWN = {
    logits: Shown(snippets=8, layout={"items": list(ASKED[logits]), "yes_from": yes_from})
    for logits, yes_from in zip(LOGITS, (7, 9, 9), strict=True)
}
GOOD = {"confidence": "3", "activations": "5", "specificity": "2"}


class Promoting(FakeMaterial):
    """A fake neuron that also makes the model expect something."""

    def promoted(self, count):
        return [(f" token{rank}", 8.0 / (1 + rank)) for rank in range(count)]


def given_answer(**changes):
    return RUBRIC.cleaned(Answer(**{"rule": "fish", "responses": GOOD} | changes))


@given(st.fixed_dictionaries({name: st.integers(0, most).map(str) for name, most in MOST.items()}))
def test_no_answer_has_more_than_fourteen_points_and_the_sum_decides_the_verdict(responses):
    shown = SHOWN["strengths"]
    answer = given_answer(responses=responses)
    assert RUBRIC.answer_problem(answer, shown) is None
    stored = RUBRIC.derived(answer, shown)
    points = int(stored.responses[POINTS])
    assert 0 <= points <= 14
    assert points == sum(int(value) for name, value in stored.responses.items() if name in MOST)
    assert stored.verdict == ("yes" if points >= 9 else "no")
    assert 1 <= stored.confidence <= 3


@pytest.mark.parametrize("logits", LOGITS)
def test_full_marks_are_the_documented_maximum(logits):
    full = {name: str(MOST[name]) for name in ASKED[logits]}
    assert total(given_answer(responses=full).responses) == MOST_POINTS[logits]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, None),
        ({"responses": GOOD | {"activations": "6"}}, "r_activations"),
        ({"responses": GOOD | {"specificity": "-1"}}, "r_specificity"),
        ({"responses": {}}, "r_confidence"),
        ({"responses": GOOD | {"logits": "3"}}, "r_confidence"),
        ({"rule": " "}, "rule"),
        ({"rule": "", "responses": dict.fromkeys(GOOD, "0")}, None),
        ({"rule": "x" * 2_001}, "rule"),
        ({"rule": "", "responses": {}, "verdict": "cannot"}, None),
    ],
)
def test_points_must_be_in_range_and_an_explanation_stand_behind_them(changes, field):
    problem = RUBRIC.answer_problem(given_answer(**changes), SHOWN["none"])
    assert (problem and problem.field) == field


def test_a_sender_says_neither_verdict_nor_sum():
    answer = given_answer(verdict="yes", confidence=3, responses=dict.fromkeys(GOOD, "0") | {POINTS: "14"})
    assert (answer.verdict, answer.confidence, POINTS in answer.responses) == ("", None, False)
    assert RUBRIC.derived(answer, SHOWN["none"]).verdict == "no"


def test_promoted_tokens_are_shown_with_strengths_only_if_the_design_asks():
    def layout(**options):
        filled = RUBRIC.options_filled(options)
        kind = {"material": Promoting(), "snippets": 8, "options": filled, "marker": lambda snippet: []}
        return RUBRIC.compose(**kind, rng=np.random.default_rng(1)).layout

    assert "promoted" not in layout()
    assert layout(logits="tokens", promoted=3)["promoted"] == [[" token0", 1], [" token1", 1], [" token2", 1]]
    assert layout(logits="strengths", promoted=3)["promoted"] == [[" token0", 5], [" token1", 3], [" token2", 2]]
    assert layout(logits="strengths")["items"] == list(MOST)
    with pytest.raises(CannotCompose, match="not known which tokens"):
        make_composition(RUBRIC, logits="tokens")


def test_weaker_bands_are_mixed_in_with_one_mark_everywhere():
    marks = [sorted(band for _, band in snippet if band) for snippet in make_composition(RUBRIC).snippets]
    assert marks == [[1, 1, 2]] * 20
    mixed = make_composition(RUBRIC, bands=["top", [0.9, 0.99], "silent"])
    assert {tuple(band for _, band in snippet if band) for snippet in mixed.snippets} == {(2,)}
    assert len({str(snippet) for snippet in mixed.snippets}) == 20


@pytest.mark.parametrize("logits", LOGITS)
def test_practice_asks_what_the_study_asks_and_a_careful_rater_agrees_with_himself(logits):
    options = RUBRIC.options_filled({"logits": logits})
    items = RUBRIC.practice(options)
    assert [item["expected"] for item in items] == ["yes", "no"]
    for item in items:
        shown = Shown(len(item["snippets"]), item["layout"])
        assert ("promoted" in item["layout"]) == (logits != "none")
        answer = RUBRIC.cleaned(Answer(rule="x", responses=item["responses"]))
        assert RUBRIC.answer_problem(answer, shown) is None
        assert RUBRIC.derived(answer, shown).verdict == item["expected"]


@pytest.mark.django_db
def test_a_judgment_holds_the_sum_and_the_verdict_that_the_server_made():
    study = make_open_study(protocol="rubric")
    user = make_rater(study)
    page = blind_next(user, study.slug)
    with pytest.raises(AnswerRefused, match="Write your explanation"):
        blind_judgment_submit(user, page.assignment, Answer(responses=GOOD), "a-key-of-mine")
    blind_judgment_submit(user, page.assignment, Answer(rule="fish", responses=GOOD), "a-key-of-mine")
    judgment = Judgment.objects.get()
    assert (judgment.verdict, judgment.confidence, judgment.rule) == ("yes", 3, "fish")
    assert judgment.responses == GOOD | {POINTS: "10"}


@pytest.mark.django_db
def test_in_practice_one_point_more_or_less_still_agrees():
    study = make_open_study(protocol="rubric")
    user = make_rater(study)
    item = study.rater_text["practice"][0]
    near = item["responses"] | {"specificity": "3"}
    far = item["responses"] | {"specificity": "0"}
    for responses, agrees in ((item["responses"], True), (near, True), (far, False)):
        answer = Answer(rule="music", responses=responses)
        assert blind_practice_answer(user, study.slug, 1, answer).feedback.agrees is agrees
    assert expected_answer(item).verdict == "yes"


@pytest.mark.django_db
def test_an_arm_whose_promoted_tokens_are_known_shows_them():
    found = [(" fish", 2.0), (" boat", 1.0)]
    with patch.object(material, "promoted_tokens", lambda stratum, layer, neuron, count: found[:count]):
        study = make_open_study(protocol="rubric", options={"logits": "tokens", "promoted": 2})
    user = make_rater(study)
    page = blind_next(user, study.slug)
    assert page.layout["promoted"] == [[" fish", 1], [" boat", 1]]
    assert "logits" in page.layout["items"]
