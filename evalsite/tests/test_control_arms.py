"""Control arms from the harvest to the rater's page: what they show, and that nothing but the text tells them apart."""

import json
import re
from collections import Counter

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client

from annotation.design import design_from_dict
from annotation.models import Evaluator, Item
from annotation.sealed.models import SealedKey
from annotation.services import study_create, study_freeze, study_open
from annotation.services.errors import HarvestMissing
from annotation.services.harvests import strata_open
from annotation.services.material import material_open
from annotation.services.random_snippets import RandomPlaces, RandomSnippets
from annotation.services.verify import study_problems
from annotation.tests.factories import make_rater, make_user
from annotation.tests.test_blinding_pages import CSRF_TOKEN, keys_rotated
from evalsite.tests.tiny import DIRECTIONS, make_controls, make_harvested_pair
from neurons.lab.checkpoint import load_network
from neurons.lab.transformer import Transformer
from neurons.models import HarvestRun, Network
from neurons.pipeline import network_source
from neurons.selectors import harvest_finished, harvests_of_twins

pytestmark = pytest.mark.django_db

ARMS = {
    "baseline": "tiny-gelu",
    "solu": "tiny-solu-ln",
    "solu_after": {"network": "tiny-solu-ln", "site": "post_ln"},
    "before_training": "tiny-gelu-untrained",
    "directions": {"network": "tiny-solu-ln", "kind": "random_directions", "basis": DIRECTIONS},
    "floor": {"kind": "random_snippets"},
}


@pytest.fixture(scope="module")
def controls(django_db_setup, django_db_blocker):
    """Harvested once; every test's own changes are rolled back before these are."""
    with django_db_blocker.unblock(), transaction.atomic():
        make_harvested_pair()
        make_controls()
        yield
        transaction.set_rollback(True)


def make_design(**changes):
    pair = {"size": "tiny", "layers": [0], "arms": ARMS}
    values = {
        "title": "Tiny study", "slug": "tiny", "seed": 7, "corpus": "tiny", "pairs": [pair], "neurons_per_arm": 3,
        "snippets_per_neuron": 5, "raters": 1,
    }  # fmt: skip
    return design_from_dict(values | changes)


def make_study(**changes):
    return study_freeze(study=study_create(design=make_design(**changes)), salt="a salt")


def floor_of(design):
    return next(stratum for stratum in strata_open(design) if stratum.arm.name == "floor")


def units_shown(design, stratum, *, wanted=8):
    """Lender and random snippets of units that can be shown."""
    found = []
    for neuron in range(stratum.store.d_mlp):
        lender = stratum.lender(neuron)
        if lender.store.top_count(0, neuron) >= 5:
            places = np.random.default_rng(neuron)
            own = material_open(design, lender, 0, neuron, places)
            found.append((lender, own, material_open(design, stratum, 0, neuron, places)))
    assert len(found) >= wanted
    return found


def test_a_study_of_all_kinds_of_arms_is_frozen_verified_and_drawn_again_alike(controls):
    before = transaction.savepoint()
    study = make_study()
    assert study_problems(study) == []
    assert Counter(SealedKey.objects.values_list("arm", flat=True)) == dict.fromkeys(ARMS, 3)
    transaction.savepoint_rollback(before)
    assert make_study().protocol == study.protocol


def test_the_protocol_tells_of_each_arm_what_it_shows(controls):
    told = {each["arm"]: each for each in json.loads(make_study().protocol)["harvests"]}
    assert {arm: told[arm]["kind"] for arm in ARMS} == {
        "baseline": "neurons",
        "solu": "neurons",
        "solu_after": "neurons",
        "before_training": "neurons",
        "directions": "random_directions",
        "floor": "random_snippets",
    }
    assert (told["solu"]["site"], told["solu_after"]["site"]) == ("post_act", "post_ln")
    assert told["directions"]["basis"]["word"] == DIRECTIONS
    assert told["floor"]["activations_of"] == [arm for arm in ARMS if arm != "floor"]
    assert "network" not in told["floor"]


def test_the_key_of_random_snippets_names_the_unit_whose_activations_they_borrow(controls):
    study, floor = make_study(), floor_of(make_design())
    for key in SealedKey.objects.filter(study=study, arm="floor"):
        lender = floor.lender(key.neuron)
        assert key.harvest_id == lender.run.pk
        assert lender.store.top_count(key.layer, key.neuron) >= 5


def test_all_other_arms_lend_to_random_snippets_in_turn(controls):
    floor = floor_of(make_design())
    lenders = Counter(floor.lender(neuron).arm.name for neuron in range(floor.store.d_mlp))
    assert set(lenders) == set(ARMS) - {"floor"}
    assert max(lenders.values()) - min(lenders.values()) <= 1


def test_random_snippets_have_the_activations_of_real_ones_and_the_text_of_other_places(controls):
    design = make_design()
    for lender, own, fake in units_shown(design, floor_of(design)):
        top, shown = own.top(5), fake.top(5)
        assert [[value for _, value in snippet.pieces] for snippet in shown] == [
            [value for _, value in snippet.pieces] for snippet in top
        ]
        assert [snippet.peak for snippet in shown] == [snippet.peak for snippet in top]
        assert fake.maximum == own.maximum
        assert len({snippet.doc for snippet in shown}) == 5
        for snippet in shown:
            text = "".join(piece for piece, _ in snippet.pieces)
            assert text in lender.store.corpus.document_text(snippet.doc)
            assert snippet.doc in lender.store.corpus.splits["train"]


def test_random_snippets_of_every_sort_come_from_texts_of_their_own(controls):
    design, rng = make_design(context_before=12, context_after=4), np.random.default_rng(1)
    _, _, fake = units_shown(design, floor_of(design))[0]
    shown = [*fake.top(5), *fake.between(0.2, 0.8, 4, rng), *fake.silent(4, rng)]
    assert len({snippet.doc for snippet in shown}) == 13
    assert all(snippet.pieces[snippet.peak][1] <= 0 for snippet in shown[-4:])


def test_tokens_that_random_snippets_promote_are_random_ones_with_the_lenders_effects(controls):
    class Lender:
        def promoted(self, count):
            return [(f"token {number}", 9.0 - number) for number in range(count)]

    lender = floor_of(make_design()).lender(0)
    promoted = RandomSnippets(Lender(), RandomPlaces(lender.store, np.random.default_rng(1))).promoted(6)
    assert [effect for _, effect in promoted] == [9.0, 8.0, 7.0, 6.0, 5.0, 4.0]
    assert len({token for token, _ in promoted}) == 6
    texts = "".join(lender.store.corpus.document_text(document) for document in lender.store.corpus.splits["train"])
    assert all(token in texts for token, _ in promoted)


def test_random_places_are_spread_over_the_whole_text(controls):
    design = make_design(context_before=3, context_after=2)
    lender, _, fake = units_shown(design, floor_of(design))[0]
    shown = []
    for seed in range(12):
        places = np.random.default_rng(seed)
        shown += material_open(design, floor_of(design), 0, _number(fake), places).top(5)
    starts = [
        lender.store.corpus.document_text(snippet.doc).index("".join(piece for piece, _ in snippet.pieces))
        for snippet in shown
    ]
    lengths = [len(lender.store.corpus.document_text(snippet.doc)) for snippet in shown]
    assert np.ptp(np.array(starts) / lengths) > 0.8
    assert len({snippet.doc for snippet in shown}) > 30


def _number(fake):
    return fake.lender.neuron


def test_every_item_of_every_arm_has_the_same_marks(controls):
    make_study()
    bands = [Counter(band for _, band in snippet) for item in Item.objects.all() for snippet in item.snippets]
    assert len(bands) == 18 * 5
    assert {(count[2], count[1]) for count in bands} == {(1, 2)}


def replies_to(rater, study):
    """What a rater's browser gets for every item, as page and as data, without the token of the session."""
    client = Client()
    client.force_login(Evaluator.objects.get(user_id=rater).user)
    address, replies = f"/rate/{study.slug}/next/", []
    while "assignment" in (page := client.get(address, headers={"Accept": "application/json"})).json():
        shown = client.get(address)
        replies += [page.content, CSRF_TOKEN.sub(b"", shown.content)]
        sent = {"verdict": "cannot", "key": page.json()["assignment"]}
        client.post(f"/rate/a/{sent['key']}/answer/", sent, content_type="application/json")
    return replies


def test_exchanging_the_keys_of_all_arms_leaves_every_page_and_reply_byte_identical(controls):
    study = study_open(study=make_study())
    rater = make_rater(study)
    before = transaction.savepoint()
    first = replies_to(rater, study)
    assert len(first) == 2 * 18
    transaction.savepoint_rollback(before)
    keys_rotated(study)
    assert first == replies_to(rater, study)
    for content in first:
        assert not re.search(rb"random|direction|untrained|borrow|post_ln|floor", content.split(b"<main")[-1])


def test_proportional_shading_of_random_snippets_is_that_of_the_lender(controls):
    design = make_design(display="proportional", slug="shaded")
    study_freeze(study=study_create(design=design), salt="a salt")
    shaded = [
        [band for snippet in item.snippets for _, band in snippet]
        for item in Item.objects.filter(pk__in=SealedKey.objects.filter(arm="floor").values("item"))
    ]
    assert len(shaded) == 3
    assert all(max(bands) == 5 for bands in shaded)  # the lender's strongest snippet reaches its maximum


def test_a_study_says_which_harvest_of_an_arm_is_missing(controls):
    arms = {"baseline": "tiny-gelu", "solu": {"network": "tiny-gelu", "site": "post_ln"}}
    with pytest.raises(HarvestMissing, match=r"'tiny-gelu' \(arm solu of tiny\).*'tiny' \(post_ln\); harvest it first"):
        strata_open(make_design(pairs=[{"size": "tiny", "layers": [0], "arms": arms}]))
    arms["solu"] = {"network": "tiny-gelu", "kind": "random_directions", "basis": "random:9:1"}
    with pytest.raises(HarvestMissing, match=r"\(random:9:1\)"):
        strata_open(make_design(pairs=[{"size": "tiny", "layers": [0], "arms": arms}]))


# -- the networks and harvests themselves ------------------------------------------------------------------------------


def test_an_untrained_network_has_the_initial_weights_and_says_so(controls):
    network = Network.objects.get(name="tiny-gelu-untrained")
    assert (network.activation, network.tokens_trained, network.validation_loss) == ("gelu_untrained", 0, None)
    assert network.pair.networks.count() == 3
    source = network_source(network)
    fresh = Transformer(source.config, seed=11)
    for name, weights in fresh.state_dict().items():
        np.testing.assert_array_equal(source.state_dict()[name].numpy(), weights.half().float().numpy())


def test_an_untrained_network_is_registered_once(controls, capsys):
    call_command("networks_untrained", "tiny-gelu", "tiny-solu-ln")
    assert "tiny-solu-ln-untrained: tiny-solu-ln before its first step" in capsys.readouterr().out
    assert Network.objects.filter(tokens_trained=0, name__endswith="-untrained").count() == 2


def test_a_network_whose_initial_weights_nobody_knows_has_no_untrained_one(controls):
    from neurons.artifacts import artifact_folder

    folder = artifact_folder(Network.objects.get(name="tiny-gelu").url)
    facts = json.loads((folder / "network.json").read_text())
    del facts["seed"]
    (folder / "network.json").write_text(json.dumps(facts))
    try:
        with pytest.raises(CommandError, match="initial weights of tiny-gelu are not known"):
            call_command("networks_untrained", "tiny-gelu")
        load_network(folder)
    finally:
        (folder / "network.json").write_text(json.dumps(facts | {"seed": 11}))


def test_a_network_has_one_finished_harvest_for_each_site_and_basis(controls):
    found = {(run.site, run.basis) for run in HarvestRun.objects.filter(network__name="tiny-solu-ln")}
    assert found == {("post_act", "neurons"), ("post_ln", "neurons"), ("post_act", DIRECTIONS)}
    assert harvest_finished("tiny-solu-ln", "tiny").basis == "neurons"
    call_command("harvest_run", "tiny-solu-ln", corpus="tiny", basis=DIRECTIONS, set=["split=train"], verbosity=0)
    assert HarvestRun.objects.filter(network__name="tiny-solu-ln").count() == 3
    with pytest.raises(CommandError, match="'pca:3' is no basis"):
        call_command("harvest_run", "tiny-solu-ln", corpus="tiny", basis="pca:3")


# -- the pages of a network with several harvests ----------------------------------------------------------------------


@pytest.fixture
def reader(controls, client):
    client.force_login(make_user(group="admin"))
    return client


def run_of(**asked):
    return HarvestRun.objects.get(network__name="tiny-solu-ln", **asked)


def test_the_pages_show_neurons_before_the_layernorm_unless_another_harvest_is_asked_for(reader):
    page = reader.get("/neurons/networks/tiny-solu-ln/")
    assert page.context["run"] == run_of(basis="neurons", site="post_act")
    for other in (run_of(site="post_ln"), run_of(basis=DIRECTIONS)):
        assert f"?harvest={other.pk}" in page.content.decode()
    assert "post_act, 30 random directions (seed 7)" in page.content.decode()


def test_a_harvest_of_directions_has_pages_for_its_directions(reader):
    run = run_of(basis=DIRECTIONS)
    call_command("neurons_index", "tiny-solu-ln", corpus="tiny", basis=DIRECTIONS, verbosity=0)
    asked = {"harvest": run.pk}
    page = reader.get("/neurons/networks/tiny-solu-ln/0/27/", asked).content.decode()
    assert "<h1>Direction 27</h1>" in page
    assert "have no weights of their own" in page
    assert f'href="/neurons/networks/tiny-solu-ln/0/28/?harvest={run.pk}"' in page
    assert reader.get("/neurons/networks/tiny-solu-ln/0/30/", asked).status_code == 404
    assert reader.get("/neurons/networks/tiny-solu-ln/0/27/").status_code == 404  # it has 24 neurons
    table = reader.get("/neurons/networks/tiny-solu-ln/0/", asked).context["table"]
    assert table.neurons == 30
    for path in ("", "0/", "reverse/", "0/27/text/"):
        assert reader.get(f"/neurons/networks/tiny-solu-ln/{path}", asked).status_code == 200
    assert reader.get(f"/neurons/runs/{run.pk}/").status_code == 200


def test_a_text_of_ones_own_is_not_read_along_directions(reader):
    page = reader.get("/neurons/networks/tiny-solu-ln/0/3/text/", {"harvest": run_of(basis=DIRECTIONS).pk})
    assert "follows random directions" in page.context["problem"]


def test_two_neurons_side_by_side_are_of_harvests_made_alike(reader):
    after = run_of(site="post_ln")
    page = reader.get("/neurons/networks/tiny-solu-ln/0/3/beside/tiny-solu-ln/0/5/", {"harvest": after.pk})
    assert [side.opened.run for side in page.context["sides"]] == [after, after]
    page = reader.get("/neurons/networks/tiny-gelu/0/3/beside/tiny-solu-ln/0/5/")
    assert page.context["sides"][1].opened.run == run_of(basis="neurons", site="post_act")


def test_neurons_have_twins_among_neurons_of_the_same_site_only(controls):
    gelu = harvest_finished("tiny-gelu", "tiny")
    assert [twin.network.name for twin in harvests_of_twins(gelu)] == ["tiny-gelu-untrained", "tiny-solu-ln"]
    assert {twin.site for twin in harvests_of_twins(gelu)} == {"post_act"}
    assert harvests_of_twins(run_of(basis=DIRECTIONS)) == []
