"""A planted word in real text: found by whoever looks, and marked like any other item."""

import pytest

from annotation.models import Item
from annotation.protocols import TASKS
from annotation.sealed.models import SealedCatch
from annotation.services import study_create, study_freeze, study_problems
from annotation.services.catches import catch_items
from annotation.services.harvests import strata_open
from annotation.tests.factories import make_design
from evalsite.tests.tiny import make_harvested_pair

pytestmark = pytest.mark.django_db
ARMS = {"baseline": "tiny-gelu", "solu": "tiny-solu-ln"}


@pytest.fixture
def pair(settings, tmp_path):
    settings.ARTIFACTS_URL = str(tmp_path)
    make_harvested_pair()


def make_tiny_design(**changes):
    pairs = [{"size": "tiny", "layers": [0], "arms": ARMS}]
    return make_design(pairs=pairs, snippets_per_neuron=6, context_before=12, context_after=6, **changes)


def test_the_planted_word_is_the_strongest_mark_of_every_snippet(pair):
    study = study_freeze(study=study_create(design=make_tiny_design(quality={"planted_catches": 2})))
    assert study_problems(study) == []
    for catch in SealedCatch.objects.filter(study=study).select_related("item"):
        peaks = {text for snippet in catch.item.snippets for text, band in snippet if band == 2}
        assert len(peaks) == 1
        assert catch.rule == f"the word “{peaks.pop().strip()}”"
        assert catch.expected == "yes"
    marked = {
        sum(band > 0 for _, band in snippet) for item in Item.objects.filter(study=study) for snippet in item.snippets
    }
    assert marked == {3}


@pytest.mark.parametrize("protocol", TASKS)
def test_every_task_makes_a_planted_catch_trial_or_says_why_not(pair, protocol):
    design = make_tiny_design(protocol=protocol, quality={"planted_catches": 1})
    (catch,) = catch_items(design, strata_open(design), "salt")
    asked = TASKS[catch.layout.get("task") or protocol]
    assert catch.expected == ("yes" if asked.asks_verdict else "")
    assert catch.snippets
