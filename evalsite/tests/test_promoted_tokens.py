"""From a network's weights to the tokens on a rater's page: real indexes of tiny networks, and none."""

import pytest

from annotation import services
from annotation.blinding import blind_next
from annotation.models import Item
from annotation.services.errors import HarvestMissing
from annotation.tests.factories import make_design, make_rater
from evalsite.tests.tiny import NETWORKS, make_harvested_pair
from neurons.models import HarvestRun
from neurons.selectors import neuron_index
from neurons.tasks import index_task

pytestmark = pytest.mark.django_db(transaction=True)
PAIR = {"size": "tiny", "layers": [0], "arms": {"baseline": NETWORKS["gelu"], "solu": NETWORKS["solu_ln"]}}


@pytest.fixture
def draft(settings, tmp_path):
    settings.ARTIFACTS_URL = str(tmp_path / "artifacts")
    make_harvested_pair()
    options = {"logits": "tokens", "promoted": 4}
    design = make_design(pairs=[PAIR], protocol="rubric", options=options, neurons_per_arm=3, snippets_per_neuron=4)
    return services.study_create(design=design)


def test_a_study_that_shows_promoted_tokens_needs_an_index_of_every_network(draft):
    with pytest.raises(HarvestMissing, match="neurons_index"):
        services.study_freeze(study=draft)


def test_promoted_tokens_are_texts_of_the_vocabulary_and_as_many_for_every_neuron(draft):
    runs = HarvestRun.objects.all()
    for run in runs:
        index_task(run.pk)
    study = services.study_open(study=services.study_freeze(study=draft))
    known = set()
    for run in runs.all():
        index = neuron_index(run)
        for neuron in range(index.d_mlp):
            known |= {index.vocabulary.token_text(one.token) for one in index.effect(0, neuron)[0]}
    for item in Item.objects.filter(study=study):
        assert len(item.layout["promoted"]) == 4
        assert {text for text, _ in item.layout["promoted"]} <= known
        assert {shade for _, shade in item.layout["promoted"]} == {1}
    page = blind_next(make_rater(study), study.slug)
    assert page.layout["items"] == ["confidence", "activations", "logits", "specificity"]
