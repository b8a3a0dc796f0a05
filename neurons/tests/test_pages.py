"""The pages about corpora, networks, layers and neurons, over HTTP: what they say and where they lead."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from neurons import artifacts
from neurons.models import Corpus, HarvestRun
from neurons.store.harvest import Sample
from neurons.store.known_activations import text_around
from neurons.store.pieces import Snippet
from neurons.tests.indexed import PAGES, make_files, make_rows
from neurons.views.ranges import RankedSample, rank_ranges
from neurons.views.shading import band, shaded, shaded_at_peak

pytestmark = pytest.mark.django_db


def make_client(group: str = "") -> Client:
    client = Client()
    if group:
        user = get_user_model().objects.create_user(username=group, password="a-long-enough-password")
        user.groups.add(Group.objects.get_or_create(name=group)[0])
        client.force_login(user)
    return client


@pytest.fixture
def researcher() -> Client:
    return make_client("statistician")


@pytest.fixture
def runs() -> dict[str, HarvestRun]:
    return make_rows()


@pytest.fixture
def store():
    return make_files().stores["net-gelu"]


def url(page: str, *arguments: object, name: str = "net-gelu") -> str:
    return reverse(f"neurons:{page}", args=[name, *arguments])


def addresses() -> list[str]:
    document = make_files().stores["net-gelu"].top_snippets(0, 3, 1, 0, 0)[0].doc
    return [
        reverse("neurons:index"),
        reverse("neurons:corpus", args=["words"]),
        reverse("neurons:search") + "?q=licence",
        reverse("neurons:search") + "?q=the&by=token",
        url("network"),
        url("layer", 1),
        url("neuron", 0, 3),
        url("document", 0, 3, document),
        url("twin", 0, 3, "net-solu-ln", 1, 5),
    ]


def make_copy(run: HarvestRun, name: str) -> Path:
    """Let the run have a copy of its harvest that a test may change; its index is forgotten."""
    source, folder = (Path(settings.ARTIFACTS_URL) / PAGES / each for each in (run.network.name, name))
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)
    run.url, run.index_url = f"{PAGES}/{name}", ""
    run.save()
    return folder


@pytest.mark.parametrize("group", ["admin", "statistician"])
def test_admins_and_researchers_read_every_page_and_can_send_to_none(runs, group):
    client = make_client(group)
    for address in addresses():
        assert client.get(address).status_code == 200, address
        assert client.post(address).status_code == 405, address


def test_an_evaluator_finds_no_page_even_as_a_researcher_too(runs):
    client = make_client("evaluators")
    get_user_model().objects.get().groups.add(Group.objects.get_or_create(name="statistician")[0])
    for address in addresses():
        assert client.get(address).status_code == 404, address


def test_strangers_are_sent_to_the_sign_in_page(runs):
    for address in addresses():
        assert make_client().get(address).headers["Location"].startswith("/accounts/login/"), address


def test_no_page_weighs_more_than_a_hundred_kilobytes_with_its_style_sheet(researcher, runs):
    style = (settings.BASE_DIR / "evalsite/static/blindscope.css").stat().st_size
    for address in addresses():
        assert len(researcher.get(address).content) + style < 100_000, address


# -- index, networks, layers -------------------------------------------------------------------------------------------
def test_the_index_shows_corpora_networks_and_harvests(researcher, runs):
    page = researcher.get(reverse("neurons:index")).content.decode()
    for said in ("3.142", "2L-16", "net-gelu", "net-solu-ln", "words", "2 × 24"):
        assert said in page, said
    assert page.count("<svg") >= 4  # density and largest activation of both


def test_only_admins_are_offered_to_start_a_harvest(runs):
    link = reverse("staff:harvest_start")
    assert link in make_client("admin").get(reverse("neurons:index")).content.decode()
    assert link not in make_client("statistician").get(reverse("neurons:index")).content.decode()


def test_the_index_looks_again_while_a_harvest_runs(researcher, runs):
    address = reverse("neurons:index")
    assert "http-equiv" not in researcher.get(address).content.decode()
    run = runs["net-gelu"]
    HarvestRun.objects.create(
        network=run.network, corpus=run.corpus, site="post_ln", config={}, status="running", message="layer 1 of 2"
    )
    page = researcher.get(address).content.decode()
    assert 'http-equiv="refresh"' in page
    assert "layer 1 of 2" in page


def test_a_corpus_says_what_its_import_did(researcher, runs):
    page = researcher.get(reverse("neurons:corpus", args=["words"])).content.decode()
    assert "repaired" in page
    assert Corpus.objects.get().fingerprint in page


def test_a_network_lists_its_layers_with_their_dead_neurons(researcher, runs, store):
    rows = researcher.get(url("network")).context["layers"]
    dead = [int((store.maxima(layer) <= 0).sum()) for layer in range(2)]
    assert [(row.layer, row.summary.neurons, row.summary.dead) for row in rows] == [(0, 24, dead[0]), (1, 24, dead[1])]


def test_a_neuron_is_found_by_its_numbers(researcher, runs):
    answer = researcher.get(url("network"), {"layer": "1", "index": "4"})
    assert answer.headers["Location"] == url("neuron", 1, 4)


@pytest.mark.parametrize("column", ["index", "strongest", "density", "cosine"])
def test_a_layer_can_be_sorted_by_every_column_both_ways(researcher, runs, column):
    name = {"strongest": "strongest", "density": "density_percent", "cosine": "cosine", "index": "index"}[column]
    for sort, sign in ((column, 1), (f"-{column}", -1)):
        table = researcher.get(url("layer", 1), {"sort": sort}).context["table"]
        values = [sign * getattr(row, name) for row in table.rows]
        assert values == sorted(values)
        assert len(values) == 24
        assert [each.sorted for each in table.columns if each.sorted] == [{1: "ascending", -1: "descending"}[sign]]


def test_a_layer_is_shown_a_page_at_a_time_and_odd_pages_lead_to_the_first_or_last(researcher, runs, monkeypatch):
    monkeypatch.setattr("neurons.views.layer_table.ROWS", 10)
    seen, address = [], url("layer", 0) + "?sort=-strongest"
    while address:
        table = researcher.get(address).context["table"]
        seen += [row.index for row in table.rows]
        address = table.next
    assert sorted(seen) == list(range(24))
    for asked, shown in (("0", 1), ("999", 3), ("x", 1), ("-1", 1)):
        assert researcher.get(url("layer", 0), {"page": asked, "sort": "nonsense"}).context["table"].page == shown


# -- one neuron --------------------------------------------------------------------------------------------------------
def test_a_neuron_shows_its_strongest_snippets_with_their_values(researcher, runs, store):
    answer = researcher.get(url("neuron", 0, 3))
    assert [row.value for row in answer.context["snippets"]] == store.top_values(0, 3).tolist()
    assert f"{store.top_values(0, 3)[0]:.3g}" in answer.content.decode()


def test_the_text_around_a_peak_can_be_shortened_and_lengthened(researcher, runs):
    short, medium, odd = (
        researcher.get(url("neuron", 0, 3), {"context": context}).context["snippets"][0].html
        for context in ("short", "medium", "nonsense")
    )
    plain = [re.sub("<[^>]+>", "", text) for text in (short, medium)]
    assert len(plain[0]) < len(plain[1])
    assert odd == medium


def test_the_histogram_and_the_density_with_its_error_are_those_of_the_sample(researcher, runs, store):
    page = researcher.get(url("neuron", 1, 5)).context
    share, error = store.sample(1, 5).density()
    assert page["density_percent"] == pytest.approx(100 * share)
    assert page["density_error"] == pytest.approx(100 * error)
    tips = re.findall(r"to [-\d.e+]+: ([\d,]+) tokens", page["histogram"])
    assert sum(int(tip.replace(",", "")) for tip in tips) == len(store.sample(1, 5).values)


def test_samples_come_from_their_rank_ranges_strongest_first(researcher, runs, store):
    ranges = researcher.get(url("neuron", 0, 3)).context["ranges"]
    values = np.sort(store.sample(0, 3).values)
    assert [one.title for one in ranges] == ["99 to 99.9 %", "90 to 99 %", "50 to 90 %", "Random"]
    for one, (low, high) in zip(ranges, ((0.99, 0.999), (0.9, 0.99), (0.5, 0.9), (0, 1)), strict=True):
        part = values[int(low * len(values)) : int(high * len(values))]
        assert one.tokens == len(part)
        shown = [row.value for row in one.snippets]
        assert shown == sorted(shown, reverse=True)
        assert all(part[0] <= value <= part[-1] for value in shown)


def test_the_same_samples_are_drawn_at_every_visit_until_others_are_asked_for(researcher, runs):
    first, again, other = (
        [
            row.html
            for one in researcher.get(url("neuron", 0, 3), {"draw": draw}).context["ranges"]
            for row in one.snippets
        ]
        for draw in ("0", "0", "1")
    )
    assert first == again != other


def test_a_sampled_snippet_marks_one_token_and_shows_the_rest_as_unknown(researcher, runs):
    for one in researcher.get(url("neuron", 0, 3)).context["ranges"]:
        for row in one.snippets:
            assert row.html.count("<mark") == 1
            assert "nan" not in row.number
            outside = re.sub(r"<mark.*?</mark>", "", row.html, flags=re.S)
            assert not re.sub(r'<span class="unknown">.*</span>', "", outside, flags=re.S).strip()


def test_ranges_of_a_tiny_sample_may_be_empty(store):
    whole = store.sample(0, 3)
    tiny = Sample(whole.values[:3], whole.documents[:3], whole.positions[:3])
    found = rank_ranges(store, RankedSample(tiny), [0], 2.0, lambda document, position: "")
    assert [one.tokens for one in found] == [0, 0, 1, 3]
    assert [len(one.snippets) for one in found] == [0, 0, 1, 3]


@pytest.mark.parametrize("values", [[1.0], [2.0] * 50, [0.0, -1.0], list(range(1000))])
def test_quantiles_are_those_of_the_sorted_sample(values):
    values = np.random.default_rng(1).permutation(np.array(values, dtype=np.float32))
    zeros = np.zeros(len(values), dtype=np.int64)
    ranked = RankedSample(Sample(values, zeros, zeros))
    for (_, mark), share in zip(ranked.marks(), (0.5, 0.9, 0.99, 0.999), strict=True):
        assert mark == np.sort(values)[int(share * len(values))]


def test_text_around_a_sampled_token_is_that_of_the_harvest(store):
    sample = store.sample(1, 2)
    for place in range(0, len(sample.values), 41):
        where = int(sample.documents[place]), int(sample.positions[place])
        snippet = text_around(store, *where, float(sample.values[place]), 9, 5)
        assert repr(snippet) == repr(store.sample_snippet(1, 2, place, 9, 5))


def test_tokens_weights_neighbours_and_twins_are_shown(researcher, runs):
    page = researcher.get(url("neuron", 0, 3)).context
    assert len(page["peak_tokens"]) > 0
    assert len(page["mean_tokens"]) > 0
    assert len(page["raised"]) == len(page["lowered"]) == 10
    assert -1 <= page["cosine"] <= 1
    assert len(page["neighbours"]) == 10
    (twin,) = page["twins"]
    assert twin.network == "net-solu-ln"
    assert twin.same.beside == url("twin", 0, 3, "net-solu-ln", 0, 3)
    for row in (*page["neighbours"], *twin.nearest, twin.same):
        assert researcher.get(row.url).status_code == 200
        assert researcher.get(row.beside).context["r"] == pytest.approx(row.r)


def test_two_neurons_stand_side_by_side(researcher, runs, store):
    answer = researcher.get(url("twin", 0, 3, "net-solu-ln", 1, 5))
    first, second = answer.context["sides"]
    assert first.snippets[0].value == store.top_values(0, 3)[0]
    assert second.snippets[0].value == make_files().stores["net-solu-ln"].top_values(1, 5)[0]
    assert second.url == url("neuron", 1, 5, name="net-solu-ln")


def test_a_whole_text_is_shaded_where_activations_are_known(researcher, runs, store):
    rank = 2
    snippet = store.top_snippets(1, 4, rank + 1, 9, 6)[rank]
    page = researcher.get(url("document", 1, 4, snippet.doc)).context
    text = re.sub("<[^>]+>", "", page["text"].html)
    assert re.sub(r"\s+", "", text) == re.sub(r"\s+", "", store.corpus.document_text(snippet.doc))
    assert page["value"] == pytest.approx(float(store.top_values(1, 4)[rank]))
    assert page["known"] >= len(snippet.pieces)
    assert f'title="{store.top_values(1, 4)[rank]:.3g}"' in page["text"].html


def test_the_text_behind_a_sampled_token_opens_at_that_token(researcher, runs):
    for one in researcher.get(url("neuron", 0, 3)).context["ranges"]:
        page = researcher.get(one.snippets[0].url).context
        assert page["value"] == pytest.approx(one.snippets[0].value)
        assert page["text"].html.count('id="peak"') == 1  # also where it does not fire


def test_a_text_of_which_nothing_is_known_is_not_handed_out(researcher, runs, store):
    known = {snippet.doc for snippet in store.top_snippets(0, 3, 8, 0, 0)} | set(store.sample(0, 3).documents.tolist())
    unknown = next(document for document in range(store.corpus.documents) if document not in known)
    assert researcher.get(url("document", 0, 3, unknown)).status_code == 404
    assert researcher.get(url("document", 0, 3, 10**6)).status_code == 404


def test_a_long_text_is_shown_in_part_and_says_so(researcher, runs, store, monkeypatch):
    monkeypatch.setattr("neurons.views.neuron.LONGEST_TEXT", 20)
    document = store.top_snippets(0, 3, 1, 0, 0)[0].doc
    page = researcher.get(url("document", 0, 3, document))
    assert "are shown" in page.content.decode()
    assert page.context["end"] - page.context["first"] == 20
    assert page.context["first"] <= page.context["peak"] < page.context["end"]


def test_one_can_walk_from_neuron_to_neuron_but_not_off_the_ends(researcher, runs):
    first, last = (researcher.get(url("neuron", 0, index)).context["links"] for index in (0, 23))
    assert (first["previous"], first["next"]) == ("", url("neuron", 0, 1))
    assert (last["previous"], last["next"]) == (url("neuron", 0, 22), "")
    assert researcher.get(first["random"]).status_code == 200


@pytest.mark.parametrize(
    "address", [("net-gelu", 2, 0), ("net-gelu", 0, 24), ("no-such-network", 0, 0)], ids=["layer", "neuron", "network"]
)
def test_a_neuron_that_does_not_exist_is_not_found(researcher, runs, address):
    assert researcher.get(reverse("neurons:neuron", args=address)).status_code == 404
    assert researcher.get(url("twin", 0, 3, *address)).status_code == 404
    assert researcher.get(reverse("neurons:document", args=[*address, 0])).status_code == 404


# -- what is not there -------------------------------------------------------------------------------------------------
def test_a_dead_neuron_is_named_as_dead(researcher, runs):
    run = runs["net-gelu"]
    folder = make_copy(run, "with-dead")
    for name, value in (("counts", 0), ("values", 0), ("density", 0)):
        array = np.load(folder / "layer00" / f"{name}.npy")
        array[3] = value
        np.save(folder / "layer00" / f"{name}.npy", array)
    page = researcher.get(url("neuron", 0, 3)).content.decode()
    assert "never above 0" in page
    assert "no snippet to show" in page
    assert researcher.get(url("network")).context["layers"][0].summary.dead == 1
    assert ">dead<" in researcher.get(url("layer", 0), {"sort": "strongest"}).content.decode()


def test_a_harvest_without_a_sample_says_that_densities_are_unknown(researcher, runs):
    run = runs["net-gelu"]
    folder = make_copy(run, "without-sample")
    meta = (folder / "meta.json").read_text()
    (folder / "meta.json").write_text(re.sub(r'"sampled": \d+', '"sampled": 0', meta))
    for path in [*folder.rglob("sample.npy"), *folder.glob("sample_*.npy")]:
        path.unlink()
    for path in folder.rglob("density.npy"):
        np.save(path, np.full(24, np.nan))
    page = researcher.get(url("neuron", 0, 3)).content.decode()
    assert "unknown: no tokens were sampled" in page
    assert "holds no sample" in page
    assert "Strongest snippets" in page
    assert "unknown" in researcher.get(url("layer", 0)).content.decode()
    assert researcher.get(url("network")).context["layers"][0].summary.unknown == 24


def test_pages_without_an_index_show_the_harvest_and_say_how_to_make_one(researcher):
    make_rows(indexed=False)
    for address in (url("network"), url("layer", 0), url("neuron", 0, 3)):
        answer = researcher.get(address)
        assert "neurons_index net-gelu --corpus words" in answer.content.decode(), address
    assert len(answer.context["snippets"]) > 0
    assert "neurons_index" in researcher.get(reverse("neurons:search"), {"q": "the"}).content.decode()


def test_pages_without_a_readable_harvest_say_so(researcher, runs):
    addresses = [url("network"), url("layer", 0), url("neuron", 0, 3)]
    HarvestRun.objects.update(url="nowhere", index_url="")
    for address in addresses:
        assert "cannot be read" in researcher.get(address).content.decode(), address
    HarvestRun.objects.all().delete()
    for address in addresses:
        assert "no finished harvest" in researcher.get(address).content.decode(), address


def test_an_index_that_is_gone_leaves_the_harvest_readable(researcher, runs):
    HarvestRun.objects.update(index_url="gone")
    page = researcher.get(url("neuron", 0, 3))
    assert "index of its neurons cannot be read" in page.content.decode()
    assert len(page.context["snippets"]) > 0


def test_a_harvest_of_another_network_cannot_be_asked_for(researcher, runs):
    assert researcher.get(url("neuron", 0, 3), {"harvest": runs["net-solu-ln"].pk}).status_code == 404
    assert researcher.get(url("neuron", 0, 3), {"harvest": "1 or 1"}).status_code == 404


def test_another_harvest_keeps_its_place_in_every_link(researcher, runs):
    """What is shown first are neurons before any extra LayerNorm, of which the newest harvest."""
    first = runs["net-gelu"]
    after = HarvestRun.objects.create(
        network=first.network, corpus=first.corpus, site="post_ln", config=first.config, status="done", url=first.url
    )
    page = researcher.get(url("neuron", 0, 3), {"harvest": after.pk}).context
    assert page["links"]["next"].endswith(f"?harvest={after.pk}")
    assert f"harvest={after.pk}" in page["snippets"][0].url
    assert researcher.get(page["snippets"][0].url).context["run"] == after
    assert researcher.get(url("neuron", 0, 3)).context["run"] == first


# -- searching ---------------------------------------------------------------------------------------------------------
def test_neurons_are_found_by_the_words_of_their_snippets_in_every_network_or_in_one(researcher, runs):
    page = researcher.get(reverse("neurons:search"), {"q": "licence"}).context
    assert [find.network for find in page["finds"]] == ["net-gelu", "net-solu-ln"]
    for find in page["finds"]:
        assert find.rows
        assert all("licence" in re.sub("<[^>]+>", "", row.snippet.html).lower() for row in find.rows)
    one = researcher.get(reverse("neurons:search"), {"q": "licence", "network": "net-gelu"}).context["finds"]
    assert [find.network for find in one] == ["net-gelu"]


def test_neurons_are_found_by_the_token_at_their_peaks(researcher, runs, store):
    finds = researcher.get(reverse("neurons:search"), {"q": "the", "by": "token", "network": "net-gelu"}).context[
        "finds"
    ]
    (token,) = [token for token in finds[0].tokens if token.text == " the"]
    address, name, count = token.neurons[0]
    layer, index = (int(part) for part in name.split("."))
    peaks = [snippet.pieces[snippet.peak][0] for snippet in store.top_snippets(layer, index, 8, 0, 0)]
    assert peaks.count(" the") == count
    assert address == url("neuron", layer, index)


@pytest.mark.parametrize("by", ["text", "token", "nonsense"])
@pytest.mark.parametrize("q", ["", " ", '"', "'; --", "nosuchword", "🙂", "x" * 500])
def test_any_search_is_answered(researcher, runs, q, by):
    assert researcher.get(reverse("neurons:search"), {"q": q, "by": by}).status_code == 200


# -- shading -----------------------------------------------------------------------------------------------------------
def test_bands_are_fifths_of_the_neurons_own_strongest_activation():
    assert [band(value, 4.0) for value in (4.0, 3.3, 3.2, 2.0, 0.9, 0.8, 0.2, 0.19, 0.0, -1.0, float("nan"))] == [
        5, 5, 4, 3, 2, 1, 1, 0, 0, 0, 0,
    ]  # fmt: skip
    assert band(1.0, 0.0) == 0


def test_text_from_a_corpus_cannot_become_markup():
    snippet = Snippet(0, 1, (("<script>", 0.0), ("<b>&\"'", 4.0), ("<i>", float("nan"))))
    for row in (shaded(snippet, 4.0), shaded_at_peak(snippet, 4.0, 4.0)):
        assert set(re.findall(r"</?(\w+)", row.html)) <= {"mark", "span"}
        assert "&lt;script&gt;" in row.html


def test_addresses_of_indexes_stay_in_the_store():
    assert artifacts.index_address("harvests/a--b--post_act--1") == "indexes/a--b--post_act--1"
