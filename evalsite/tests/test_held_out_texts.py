"""Tasks with right answers over a real harvest: what is called silent is silent, and no text is shown twice."""

import numpy as np
import pytest
from django.db import transaction

from annotation.design import design_from_dict
from annotation.protocols import TASKS
from annotation.protocols.task import CannotCompose
from annotation.services import study_create, study_freeze
from annotation.services.harvests import strata_open
from annotation.services.material import HarvestMaterial
from annotation.services.showing import Showing
from annotation.services.verify import study_problems
from evalsite.tests.tiny import make_harvested_pair
from neurons.store.near_misses import near_miss_places

pytestmark = pytest.mark.django_db
NEURONS = range(24)
OPTIONS = {
    "forced_choice": {"trials": 2, "silent_references": 1},
    "intruder": {"ranges": ["top", [0.95, 1.0]], "snippets_per_trial": 3},
    "rule_prediction": {"firing": 2, "silent": 3, "near_misses": 2},
}


@pytest.fixture(scope="module")
def harvests(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), transaction.atomic():
        make_harvested_pair()
        yield
        transaction.set_rollback(True)


def make_design(task="forced_choice", **changes):
    arms = {"baseline": "tiny-gelu", "solu": "tiny-solu-ln"}
    values = {
        "title": "Tiny", "slug": f"tiny-{task.replace('_', '-')}", "seed": 3, "corpus": "tiny", "protocol": task,
        "pairs": [{"size": "tiny", "layers": [0], "arms": arms}], "options": OPTIONS[task], "raters": 2,
        "raters_per_neuron": 1, "neurons_per_arm": 3, "snippets_per_neuron": 6, "context_before": 8,
        "context_after": 4,
    }  # fmt: skip
    return design_from_dict(values | changes)


def materials(design):
    return [HarvestMaterial(design, stratum, 0, neuron) for stratum in strata_open(design) for neuron in NEURONS]


def test_silent_and_near_miss_snippets_lie_in_other_documents_than_the_strongest_firings(harvests):
    rng, found = np.random.default_rng(1), 0
    for material in materials(make_design()):
        store, neuron = material.stratum.store, material.neuron
        if not (top := set(store.top_documents(0, neuron).tolist())):
            continue
        near = material.near_misses(5, rng)
        found += len(near)
        for snippet in [*material.silent(5, rng), *near]:
            assert snippet.pieces[snippet.peak][1] <= 0
            assert snippet.doc not in top
        peaks = {snippet.pieces[snippet.peak][0] for snippet in store.top_snippets(0, neuron, len(top), 0, 0)}
        assert {snippet.pieces[snippet.peak][0] for snippet in near} <= peaks
        assert len(near) == min(
            5, len({store.sample(0, neuron).documents[i] for i in near_miss_places(store, 0, neuron)})
        )
    assert found > 0


@pytest.mark.parametrize("task", OPTIONS)
def test_what_is_composed_of_real_neurons_shows_no_text_twice(harvests, task):
    design, rng, composed = make_design(task), np.random.default_rng(1), 0
    for material in materials(design):
        showing = Showing(design, material)
        try:
            item = TASKS[task].compose(
                showing, snippets=6, options=TASKS[task].options_filled(design.options), marker=showing.mark, rng=rng
            )
        except CannotCompose:
            continue
        shown = [*item.snippets, *(item.prediction.snippets if item.prediction else ())]
        texts = {"".join(text for text, _ in snippet) for snippet in shown}
        assert len(texts) == len(shown)
        composed += 1
    assert composed > 10


@pytest.mark.parametrize("task", OPTIONS)
def test_a_study_of_each_task_is_frozen_from_real_harvests_as_its_protocol_says(harvests, task):
    study = study_freeze(study=study_create(design=make_design(task)))
    assert study.items.count() == (12 if task == "rule_prediction" else 6)
    assert study_problems(study) == []
