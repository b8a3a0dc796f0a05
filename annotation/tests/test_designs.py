"""Designs beyond the plain one, frozen: layers, reserve, corpora, calibration, repeats, blocks, machine raters."""

import json
from collections import Counter
from pathlib import Path

import pytest
from django.utils import timezone

import annotation
from annotation import services
from annotation.design import DesignRefused, design_from_dict, design_from_toml, design_to_dict
from annotation.models import Assignment, Item, Seat, StudyEvent
from annotation.sealed.models import SealedDraw, SealedKey, SealedStratum
from annotation.services import NotEnoughNeurons
from annotation.services.draw import study_draw
from annotation.services.harvests import strata_open
from annotation.tests.factories import ARMS, fake_harvests, make_design, make_frozen_study, make_study

pytestmark = pytest.mark.django_db

TEMPLATES = Path(annotation.__file__).parent / "study_templates"
TWO_LAYERS = [{"size": "tiny", "layers": [0, 1], "arms": ARMS}]


def make_two_layers(layers=2, **changes):
    with fake_harvests(n_layers=layers):
        return services.study_freeze(study=make_study(pairs=TWO_LAYERS, **changes))


def items_of(study, **seat):
    """Public ids of the lists of some seats, in order."""
    rows = Assignment.objects.filter(seat__study=study, **seat).order_by("seat__number", "position")
    return list(rows.values_list("item__public_id", flat=True))


def first_items_of(study):
    rows = Assignment.objects.filter(seat__study=study, repeat_of__isnull=True)
    return list(rows.values_list("item__public_id", flat=True))


def test_equal_layers_give_every_layer_of_every_arm_the_same_number():
    study = make_two_layers(neurons_per_arm=6, sampling={"layers": "equal"})
    counts = Counter(SealedKey.objects.filter(study=study).values_list("arm", "layer"))
    assert counts == {(arm, layer): 3 for arm in ARMS for layer in (0, 1)}


def test_an_odd_number_gives_the_same_layer_the_extra_neuron_in_every_arm():
    study = make_two_layers(neurons_per_arm=5, sampling={"layers": "equal"})
    counts = Counter(SealedKey.objects.filter(study=study).values_list("arm", "layer"))
    assert len({(counts[arm, 0], counts[arm, 1]) for arm in ARMS}) == 1
    assert counts["solu", 0] + counts["solu", 1] == 5


def test_proportional_sizes_share_out_the_mean_by_living_neurons():
    pairs = [{"size": "small", "layers": [0], "arms": ARMS}, {"size": "large", "layers": [0, 1], "arms": ARMS}]
    with fake_harvests(n_layers=2):
        study = services.study_freeze(
            study=make_study(pairs=pairs, neurons_per_arm=6, sampling={"sizes": "proportional"})
        )
    counts = Counter(SealedKey.objects.filter(study=study).values_list("size", "arm"))
    assert counts == {(size, arm): n for size, n in (("small", 4), ("large", 8)) for arm in ARMS}


def test_a_layer_with_too_few_neurons_is_named():
    with pytest.raises(NotEnoughNeurons, match=r"tiny, layer [01]\): 38 of 40 neurons can be shown and 39 are wanted"):
        make_two_layers(neurons_per_arm=78, sampling={"layers": "equal"})


def test_the_reserve_is_frozen_and_sealed_and_on_nobodys_list():
    study = make_frozen_study(neurons_per_arm=4, sampling={"reserve": 3})
    draws = SealedDraw.objects.filter(study=study, accepted=True)
    assert Counter(draws.values_list("arm", "reserve")) == {
        (arm, reserve): n for arm in ARMS for reserve, n in ((False, 4), (True, 3))
    }
    reserved = set(draws.filter(reserve=True).values_list("arm", "neuron"))
    kept = {row.item.public_id for row in SealedKey.objects.filter(study=study) if (row.arm, row.neuron) in reserved}
    assert len(kept) == 9
    assert kept.isdisjoint(items_of(study))
    assert {item["id"] for item in json.loads(study.protocol)["items"]} >= kept
    assert services.study_problems(study) == []


def test_a_reserve_leaves_the_sample_as_it_was():
    sampled = []
    for reserve in (0, 5):
        design = make_design(neurons_per_arm=4, sampling={"reserve": reserve})
        with fake_harvests():
            draw = study_draw(design, strata_open(design), "salt")
        sampled.append([(row.arm, row.layer, row.neuron) for row in draw.draws if row.accepted and not row.reserve])
    assert sampled[0] == sampled[1]


def test_what_a_layer_holds_is_counted_and_sealed():
    study = make_two_layers(neurons_per_arm=6, sampling={"layers": "equal", "reserve": 1})
    rows = list(SealedStratum.objects.filter(study=study).values())
    assert len(rows) == 6
    for row in rows:
        assert (row["width"], row["neurons"], row["unrecorded"], row["dead"], row["enough"]) == (40, 40, 0, 1, 38)
        assert (row["sampled"], row["reserved"]) == (3, 1)


def test_every_neuron_is_shown_once_for_each_corpus_with_the_same_raters():
    study = make_frozen_study(raters=4, raters_per_neuron=2, sampling={"more_corpora": ["other"]})
    assert Item.objects.filter(study=study).count() == 24
    neurons = {}
    for row in SealedKey.objects.filter(study=study).select_related("item"):
        neurons.setdefault((row.arm, row.layer, row.neuron), {})[row.corpus] = row.item
    assert all(set(items) == {"tiny", "other"} for items in neurons.values())
    for items in neurons.values():
        seats = [set(item.assignments.values_list("seat__number", flat=True)) for item in items.values()]
        assert seats[0] == seats[1]
        assert len(seats[0]) == 2
    corpora = [harvest["corpus"] for harvest in json.loads(study.protocol)["harvests"]]
    assert Counter(corpora) == {"tiny": 3, "other": 3}


def test_repeats_point_to_their_first_showing_and_come_later_on_the_same_list():
    study = make_frozen_study(neurons_per_arm=8, assignment={"repeats": 0.25, "repeat_distance": 5})
    repeats = Assignment.objects.filter(seat__study=study, repeat_of__isnull=False).select_related("repeat_of")
    assert repeats.count() == 2 * 6
    for row in repeats:
        assert (row.item_id, row.seat_id) == (row.repeat_of.item_id, row.repeat_of.seat_id)
        assert row.position - row.repeat_of.position > 5
    assert services.study_problems(study) == []


def test_machine_raters_have_seats_and_an_allocation_of_their_own():
    study = make_frozen_study(
        raters=3, raters_per_neuron=2, assignment={"machine_raters": 2, "machine_raters_per_neuron": 1}
    )
    assert list(Seat.objects.filter(study=study).order_by("number").values_list("kind", flat=True)) == [
        "human", "human", "human", "machine", "machine",
    ]  # fmt: skip
    assert set(Counter(items_of(study, seat__kind="human")).values()) == {2}
    assert set(Counter(items_of(study, seat__kind="machine")).values()) == {1}
    assert [seat["kind"] for seat in json.loads(study.protocol)["seats"]] == ["human"] * 3 + ["machine"] * 2


def test_the_calibration_set_is_on_every_list():
    study = make_frozen_study(raters=4, raters_per_neuron=1, assignment={"calibration": 2, "machine_raters": 1})
    common = [item for item, times in Counter(items_of(study, seat__kind="human")).items() if times == 4]
    assert len(common) == 6
    assert set(common) <= set(items_of(study, seat__kind="machine"))
    arms = SealedKey.objects.filter(item__public_id__in=common).values_list("arm", flat=True)
    assert Counter(arms) == {"baseline": 2, "solu": 2, "ln_only": 2}


@pytest.mark.parametrize("per_neuron", [30, 5], ids=["crossed", "incomplete"])
def test_thirty_raters_on_the_papers_design_in_small(per_neuron):
    """benchmarks/study.py does the same with all 660 neurons."""
    paper = design_to_dict(design_from_toml((TEMPLATES / "solu_paper.toml").read_text()))
    asked = {"neurons_per_arm": 6, "raters": 30, "raters_per_neuron": per_neuron, "snippets_per_neuron": 5}
    with fake_harvests(n_layers=64):
        study = services.study_create(design=design_from_dict(paper | asked | {"assignment": {"repeats": 0.1}}))
        study = services.study_freeze(study=study)
    balance = StudyEvent.objects.get(study=study, action="frozen").details["balance"]["people"]
    assert balance["stratum_difference"] <= 1
    assert balance["most_load"] - balance["least_load"] <= 1
    assert balance["most_overlap"] - balance["least_overlap"] <= 4
    assert Counter(Counter(first_items_of(study)).values()) == {per_neuron: 66}
    assert services.study_problems(study) == []


def test_the_log_tells_how_even_the_allocation_is_and_nothing_of_the_arms():
    study = make_frozen_study(raters=4, raters_per_neuron=2)
    details = StudyEvent.objects.get(study=study, action="frozen").details
    assert details["balance"] == json.loads(study.protocol)["balance"]
    assert details["balance"]["people"]["stratum_difference"] == 0
    assert not any(word in json.dumps(details) for word in ("solu", "baseline", "tiny-gelu"))


def test_a_list_too_short_for_its_repeats_is_refused_at_freeze():
    study = make_study(neurons_per_arm=2, assignment={"repeats": 0.5, "repeat_distance": 5})
    with fake_harvests(), pytest.raises(DesignRefused, match=r"assignment: .*repeats=3 at a distance of 5"):
        services.study_freeze(study=study)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"sampling": {"layers": "odd"}}, "sampling.layers: Received 'odd'; choose one of: pooled, equal, prop"),
        ({"sampling": {"more_corpora": ["tiny"]}}, "sampling.more_corpora: Received 'tiny', the study's own corpus"),
        ({"sampling": {"more_corpora": "other"}}, "sampling.more_corpora: Received 'other'; give a list"),
        ({"sampling": {"more_corpora": ["a", "a"]}}, "sampling.more_corpora: Received a, a; each corpus may stand"),
        ({"assignment": {"repeats": 0.6}}, "assignment.repeats: Received 0.6; give a number from 0 to 0.5"),
        ({"assignment": {"block": 1}}, "assignment.block: Received 1; a block of one item is no block"),
        (
            {"assignment": {"machine_raters": 1, "machine_raters_per_neuron": 2}},
            "assignment.machine_raters_per_neuron: Received 2; at most machine_raters, 1",
        ),
    ],
)
def test_what_cannot_be_sampled_or_assigned_is_refused_with_its_name(changes, told):
    with pytest.raises(DesignRefused, match=told.replace(".", r"\.")):
        make_design(**changes)


def test_a_design_with_sections_is_read_back_unchanged():
    design = make_design(
        sampling={"layers": "equal", "reserve": 2, "more_corpora": ["other"]}, assignment={"repeats": 0.1, "block": 12}
    )
    assert design_from_dict(design_to_dict(design)) == design


def use_reserve(study, rounds, **changes):
    sampling = study.design["sampling"] | {"reserve_used": rounds} | changes
    return services.study_amend(study=study, changes={"sampling": sampling}, reason="Two neurons could not be read.")


def test_the_reserve_comes_into_use_by_an_amendment_on_lists_that_were_fixed_at_freeze():
    study = make_frozen_study(raters=3, raters_per_neuron=2, sampling={"reserve": 2})
    planned, before = json.loads(study.protocol)["reserve"], items_of(study, seat__number=1)
    version = use_reserve(study, 1)
    study.refresh_from_db()
    for seat in (1, 2, 3):
        added = items_of(study, seat__number=seat)[-len(planned[0][seat - 1]) :]
        assert added == planned[0][seat - 1]
    assert items_of(study, seat__number=1)[: len(before)] == before
    arms = SealedKey.objects.filter(item__public_id__in=[item for seat in planned[0] for item in seat])
    assert Counter(arms.values_list("arm", flat=True)) == dict.fromkeys(ARMS, 1)
    assert Counter(Counter(items_of(study)).values()) == {2: 15}
    assert (version.number, json.loads(version.text)["design"]["sampling"]["reserve_used"]) == (2, 1)
    assert services.study_problems(study) == []
    Assignment.objects.filter(seat__study=study, item__public_id=planned[0][0][0]).delete()
    assert services.study_problems(study) == ["The raters' orders differ from the protocol."]


@pytest.mark.parametrize(
    ("rounds", "changes", "told"),
    [
        (3, {}, "at most the rounds in reserve, 2"),
        (0, {}, "1 rounds of the reserve are on raters' lists"),
        (2, {"layers": "equal"}, "How neurons were sampled"),
    ],
)
def test_no_amendment_changes_the_sampling_or_takes_the_reserve_back(rounds, changes, told):
    study = make_frozen_study(sampling={"reserve": 2})
    use_reserve(study, 1)
    study.refresh_from_db()
    before = items_of(study)
    with pytest.raises((services.AmendmentRefused, DesignRefused), match=told):
        use_reserve(study, rounds, **changes)
    assert items_of(study) == before


def test_the_reserve_is_closed_when_a_rater_has_begun_to_guess_arms():
    study = make_frozen_study(sampling={"reserve": 1})
    study.seats.filter(number=2).update(guessing_at=timezone.now())
    with pytest.raises(services.AmendmentRefused, match="The raters on seats 2 guess arms already"):
        use_reserve(study, 1)


def test_a_design_cannot_begin_with_its_reserve_in_use():
    study = make_study(sampling={"reserve": 2, "reserve_used": 1})
    with fake_harvests(), pytest.raises(DesignRefused, match="comes into use after freeze, by amendment"):
        services.study_freeze(study=study)
