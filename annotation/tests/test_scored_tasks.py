"""Tasks with right answers: held-out texts that no rater saw before, and nothing but the text that tells the answer."""

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.protocols.display import mark_peak, mark_proportional
from annotation.protocols.first_glance import FirstGlance
from annotation.protocols.forced_choice import ForcedChoice
from annotation.protocols.held_out import FreshTexts, Worn, bands_of, disguised, worn
from annotation.protocols.intruder import LETTERS, Intruder
from annotation.protocols.practice import agrees
from annotation.protocols.rule_prediction import RulePrediction, prediction_counts
from annotation.protocols.task import Answer, CannotCompose, Shown

SEEDS = st.integers(0, 2**32)
TASKS = (ForcedChoice(), Intruder(), RulePrediction())
RANGES = st.sampled_from(["top", [0.9, 1.0]])


@dataclass
class SmallCorpus:
    """A neuron on a corpus so small that what is asked for meets the same documents again and again."""

    documents: int = 90
    pieces: int = 9
    near: int = 0
    asked: Counter = field(default_factory=Counter)

    def top(self, count):
        if count > 30:
            raise CannotCompose(f"30 of {count} snippets")
        return [self._reading(doc, f"top{doc}", 100.0 - doc) for doc in range(count)]

    def between(self, low, high, count, rng):
        values = [1.0 + doc if doc % 5 else -0.5 for doc in range(self.documents)]
        chosen = rng.permutation(self.documents)[:count]
        return [self._reading(int(doc), f"between{doc}", values[int(doc)], known=False) for doc in chosen]

    def silent(self, count, rng):
        if count > self.documents:
            raise CannotCompose(f"{self.documents} of {count} snippets")
        return [self._reading(int(doc), f"silent{doc}", -1.0) for doc in rng.permutation(self.documents)[:count]]

    def near_misses(self, count, rng):
        return [self._reading(int(doc), f"near{doc}", -1.0) for doc in rng.permutation(self.documents)[: self.near]]

    def _reading(self, doc, name, peak, known=True):
        length = self.pieces + doc % 3
        middle = (self.pieces // 2) + doc % 2
        rest = [peak / (2 + n + doc % 4) if known else float("nan") for n in range(length)]
        rest[middle] = peak
        return Worn(doc, middle, tuple((f" d{doc}{name}w{n}", value) for n, value in enumerate(rest)))


class ShortSilent(SmallCorpus):
    def silent(self, count, rng):
        return [replace(reading, peak=0, pieces=reading.pieces[:2]) for reading in super().silent(count, rng)]


def peak(reading):
    return mark_peak(reading.pieces, reading.peak, 3)


def proportional(reading):
    return mark_proportional(reading.pieces, 100.0, 5)


def composed(task, seed=1, snippets=10, marker=peak, material=None, **options):
    filled = task.options_filled(options)
    assert task.option_problems(options) == []
    rng = np.random.default_rng(seed)
    return task.compose(material or SmallCorpus(), snippets=snippets, options=filled, marker=marker, rng=rng)


def texts(composition):
    return ["".join(text for text, _ in snippet) for snippet in composition.snippets]


def document_of(text):
    """Every piece begins with " d<document>" and the kind of the snippet."""
    digits = text.removeprefix(" d")
    return int(digits[: next(i for i, sign in enumerate(digits) if not sign.isdigit())])


def parts_of(composition):
    return [part for part in (composition, composition.prediction) if part is not None]


# -- What is drawn -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
@given(SEEDS, RANGES)
def test_held_out_snippets_come_from_other_documents_than_all_others_of_the_neuron(task, seed, held_out):
    option = {"ranges": [held_out, "top"]} if task.name == "intruder" else {"held_out": held_out}
    for material in (SmallCorpus(), SmallCorpus(near=40)):
        near = {"near_misses": 3} if task.name == "rule_prediction" else {}
        shown = [
            text for part in parts_of(composed(task, seed, material=material, **option, **near)) for text in texts(part)
        ]
        found = [document_of(text) for text in shown]
        assert len(set(found)) == len(found)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
@given(SEEDS)
def test_the_same_seed_gives_the_same_item_and_another_seed_another(task, seed):
    assert composed(task, seed) == composed(task, seed)
    assert composed(task, seed) != composed(task, seed + 1)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_neuron_with_too_few_texts_is_left_out_with_a_reason(task):
    with pytest.raises(CannotCompose, match="of"):
        composed(task, snippets=60)


def test_texts_that_were_handed_out_are_never_handed_out_again_however_few_there_are():
    fresh = FreshTexts(SmallCorpus(documents=25), np.random.default_rng(1))
    top = fresh.firing("top", 10)
    silent = fresh.silent(12)
    assert len({reading.doc for reading in [*top, *silent]}) == 22
    with pytest.raises(CannotCompose, match="each of another text"):
        fresh.silent(5)


def test_a_snippet_of_a_rank_range_at_which_the_neuron_does_not_fire_is_not_taken_for_one_that_fires():
    firing = FreshTexts(SmallCorpus(), np.random.default_rng(1)).firing([0.1, 0.9], 40)
    assert all(reading.pieces[reading.peak][1] > 0 for reading in firing)


# -- Nothing but the text tells the answer -----------------------------------------------------------------------------


@given(SEEDS, st.sampled_from(["none", "peak"]), RANGES)
def test_the_two_snippets_of_a_pair_are_marked_alike_and_hold_no_answer_in_the_layout(seed, marks, held_out):
    item = composed(ForcedChoice(), seed, held_out_marks=marks, held_out=held_out)
    assert len(item.layout["references"]) == 10
    for name, pair in zip(("trial_1", "trial_2", "trial_3"), item.layout["trials"], strict=True):
        assert [bands_of(item.snippets[i]) for i in pair] == [[2], [2]] if marks == "peak" else [[], []]
        fires = ["silent" not in texts(item)[i] for i in pair]
        assert fires == [item.truth[name] == "a", item.truth[name] == "b"]
        assert item.truth["kinds"][name] == ("top" if held_out == "top" else "0.9 to 1")


@given(SEEDS, st.sampled_from([peak, proportional]), st.integers(3, 7))
def test_the_intruder_has_as_many_marks_in_the_same_bands_as_a_true_snippet_of_its_trial(seed, marker, size):
    item = composed(Intruder(), seed, snippets=14, marker=marker, ranges=["top", [0.9, 1.0]], snippets_per_trial=size)
    for number, trial in enumerate(item.layout["trials"], start=1):
        shown = [item.snippets[i] for i in trial]
        right = LETTERS.index(item.truth[f"trial_{number}"])
        assert ["silent" in texts(item)[i] for i in trial] == [place == right for place in range(size)]
        true_marks = [bands_of(snippet) for place, snippet in enumerate(shown) if place != right]
        assert bands_of(shown[right]) in true_marks
        if item.truth["kinds"][f"trial_{number}"] != "top":
            assert {tuple(bands) for bands in true_marks} == {(2,)} == {tuple(bands_of(shown[right]))}


@given(SEEDS)
def test_in_peak_display_all_snippets_of_a_trial_have_the_same_marks(seed):
    item = composed(Intruder(), seed)
    assert {tuple(bands_of(snippet)) for snippet in item.snippets} == {(1, 1, 2)}


def test_the_right_place_is_uniform_over_seeds():
    pairs, intruders = Counter(), Counter()
    for seed in range(400):
        pairs += Counter(value for name, value in composed(ForcedChoice(), seed).truth.items() if name != "kinds")
        intruders += Counter(value for name, value in composed(Intruder(), seed).truth.items() if name != "kinds")
    for found, places in ((pairs, 2), (intruders, 5)):
        expected = found.total() / places
        chi_square = sum((count - expected) ** 2 / expected for count in found.values())
        assert len(found) == places
        assert chi_square < 20  # 5 places: p = 0.0005; the seeds are fixed


def test_the_trials_of_a_rank_range_stand_at_every_place():
    places = {composed(Intruder(), seed, ranges=["top", [0.9, 1.0]]).truth["kinds"]["trial_1"] for seed in range(20)}
    assert places == {"top", "0.9 to 1"}


def test_activations_that_do_not_fit_move_to_the_nearest_free_piece_and_none_is_lost():
    donor = Worn(1, 2, (("a", 5.0), ("b", 1.0), ("c", 9.0), ("d", 0.0)))
    text = Worn(2, 0, (("x", 0.0), ("y", 0.0), ("z", 0.0), ("w", 0.0)))
    assert [value for _, value in worn(text, donor).pieces] == [9.0, 5.0, 1.0, 0.0]


def test_a_text_too_short_for_the_marks_of_every_firing_snippet_is_passed_over():
    firing = [Worn(n, 1, tuple((f"{n}{i}", 50.0 + i) for i in range(6))) for n in range(3)]
    assert disguised(Worn(9, 0, (("x", 0.0), ("y", 0.0))), firing, proportional, np.random.default_rng(1)) is None
    with pytest.raises(CannotCompose, match="too short"):
        composed(Intruder(), material=ShortSilent(), marker=proportional)


def test_without_references_a_pair_is_all_that_is_shown():
    shares = [len(composed(ForcedChoice(), seed, no_reference_share=0.4).layout["references"]) for seed in range(200)]
    assert set(shares) == {0, 10}
    assert 50 < shares.count(0) < 110
    bare = composed(ForcedChoice(), no_reference_share=1.0, silent_references=4)
    assert (bare.layout["references"], bare.layout["silent_references"], len(bare.snippets)) == ([], [], 6)


def test_references_that_do_not_fire_are_unmarked_and_apart():
    item = composed(ForcedChoice(), silent_references=4)
    shown = [texts(item)[i] for i in item.layout["silent_references"]]
    assert len(shown) == 4
    assert all("silent" in text for text in shown)


def test_a_prediction_shows_bare_texts_and_seals_what_the_neuron_does_there():
    item = composed(RulePrediction(), material=SmallCorpus(near=30), firing=4, silent=6, near_misses=2)
    assert (item.layout, item.truth) == ({"task": "first_glance"}, {})
    second = item.prediction
    assert all(band == 0 for snippet in second.snippets for _, band in snippet)
    right = {name: value for name, value in second.truth.items() if name != "kinds"}
    for number, text in enumerate(texts(second), start=1):
        assert right[f"snippet_{number}"] == ("yes" if "top" in text else "no")
    assert Counter(second.truth["kinds"].values()) == {"firing, top": 4, "near miss": 2, "silent": 4}
    assert "truth" not in second.layout


def test_near_misses_that_the_neuron_does_not_have_are_replaced_by_silent_snippets():
    second = composed(RulePrediction(), material=SmallCorpus(near=0), near_misses=3).prediction
    assert Counter(second.truth["kinds"].values()) == {"firing, top": 5, "silent": 5}


# -- Options -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "options"),
    [
        (ForcedChoice(), {"trials": 0}),
        (ForcedChoice(), {"trials": 21}),
        (ForcedChoice(), {"held_out": [0.9]}),
        (ForcedChoice(), {"held_out_marks": "all"}),
        (ForcedChoice(), {"silent_references": -1}),
        (ForcedChoice(), {"no_reference_share": 1.5}),
        (Intruder(), {"ranges": []}),
        (Intruder(), {"ranges": ["middle"]}),
        (Intruder(), {"snippets_per_trial": 8}),
        (Intruder(), {"snippets_per_trial": True}),
        (RulePrediction(), {"firing": 0}),
        (RulePrediction(), {"silent": "many"}),
        (RulePrediction(), {"near_misses": 6}),
        (RulePrediction(), {"held_out": [1.0, 0.9]}),
    ],
)
def test_an_option_out_of_bounds_is_refused_with_what_was_received(task, options):
    [(name, message)] = task.option_problems(options)
    assert name == next(iter(options))
    assert message.startswith("Received ")


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_an_unknown_option_is_refused(task):
    assert task.option_problems({"colour": 1})[0][0] == "colour"
    assert task.option_problems({}) == []


def test_too_few_snippets_for_one_trial_of_each_range_are_refused():
    with pytest.raises(CannotCompose, match="2 ranges need at least 10 snippets per neuron"):
        composed(Intruder(), snippets=9, ranges=["top", [0.9, 1.0]])


# -- Answers and scores ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
@given(SEEDS)
def test_the_right_answers_score_1_and_a_guess_scores_by_what_it_hits(task, seed):
    item = composed(task, seed)
    item = item.prediction or item
    shown, rng = Shown(len(item.snippets), item.layout), np.random.default_rng(seed)
    knows = task.cleaned(Answer(**task.simulated(rng, knows=True, shown=shown, truth=item.truth)))
    guess = task.cleaned(Answer(**task.simulated(rng, knows=False, shown=shown, truth=item.truth)))
    assert task.answer_problem(knows, shown) is None is task.answer_problem(guess, shown)
    assert task.score(knows, item.truth) == 1.0
    right = {name: value for name, value in item.truth.items() if name != "kinds"}
    hits = sum(guess.responses[name] == value for name, value in right.items())
    assert task.score(guess, item.truth) == hits / len(right)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_an_answer_misses_nothing_or_says_what_it_misses(task):
    item = composed(task)
    item = item.prediction or item
    shown = Shown(len(item.snippets), item.layout)
    whole = Answer(**task.simulated(np.random.default_rng(1), knows=True, shown=shown, truth=item.truth))
    for name in whole.responses:
        rest = {other: text for other, text in whole.responses.items() if other != name}
        for responses in (rest, rest | {name: "nonsense"}):
            problem = task.answer_problem(task.cleaned(replace(whole, responses=responses)), shown)
            assert problem.field == f"r_{name}"
    stray = task.cleaned(replace(whole, verdict="yes", rule="x", responses=whole.responses | {"hint": "b"}))
    assert (stray.verdict, stray.rule, stray.responses) == ("", "", whole.responses)


@pytest.mark.parametrize("task", [ForcedChoice(), Intruder()], ids=lambda task: task.name)
def test_an_answer_to_a_trial_that_is_not_there_is_refused(task):
    item = composed(task)
    shown = Shown(len(item.snippets), item.layout)
    whole = Answer(**task.simulated(np.random.default_rng(1), knows=True, shown=shown, truth=item.truth))
    more = replace(whole, responses=whole.responses | {"trial_9": "a"})
    assert "reload" in task.answer_problem(task.cleaned(more), shown).message


def test_a_rule_that_cannot_be_used_needs_no_predictions_and_has_no_score():
    task, shown = RulePrediction(), Shown(3, {"held_out": [0, 1, 2]})
    answer = task.cleaned(Answer(verdict="cannot", confidence=2, responses={"snippet_1": "yes"}))
    assert (answer.responses, answer.confidence) == ({}, None)
    assert task.answer_problem(answer, shown) is None
    assert task.score(answer, {"snippet_1": "yes"}) is None


def test_precision_and_recall_count_snippets():
    truth = {"snippet_1": "yes", "snippet_2": "yes", "snippet_3": "no", "snippet_4": "no", "kinds": {}}
    counts = prediction_counts({"snippet_1": "yes", "snippet_2": "no", "snippet_3": "yes", "snippet_4": "no"}, truth)
    assert (counts.hits, counts.misses, counts.false_alarms, counts.rejections) == (1, 1, 1, 1)
    assert (counts.precision, counts.recall) == (0.5, 0.5)
    nothing = prediction_counts(dict.fromkeys(truth, "no"), truth)
    assert (nothing.precision, nothing.recall) == (None, 0.0)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_practice_items_have_answers_that_the_task_accepts_and_reasons(task):
    practice = task.practice(task.options_filled({}))
    own = [item for item in practice if item.get("layout", {}).get("task", task.name) == task.name]
    assert len(own) >= 2
    for item in own:
        shown = Shown(len(item["snippets"]), item["layout"])
        confidences = {f"{name}_confidence": "2" for name in item["responses"] if name.startswith("trial")}
        answer = task.cleaned(Answer(responses=item["responses"] | confidences, confidence=2))
        assert task.answer_problem(answer, shown) is None
        assert agrees(item, answer)
        assert len(item["text"]) > 100
        places = [i for group in item["layout"].values() for part in group for i in np.ravel(part).tolist()]
        assert sorted(places) == list(range(len(item["snippets"])))


def test_the_writing_items_of_a_rule_study_practise_as_first_glance_items():
    practice = RulePrediction().practice({})
    writing = [item for item in practice if item.get("layout", {}).get("task") == FirstGlance.name]
    assert [item["expected"] for item in writing] == ["yes", "no"]
    assert all(item["rule"] for item in practice if item not in writing)


def test_the_practice_intruders_carry_the_marks_of_the_others():
    for item in Intruder().practice({}):
        for snippet in item["snippets"]:
            assert bands_of([(text, band) for text, band in snippet]) == [1, 1, 2]
