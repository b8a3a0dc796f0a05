"""Your own text and reverse search over HTTP, with the real service behind them."""

import os
import subprocess
import sys
from unittest.mock import patch

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from neurons.inference import InferenceBusy, InferenceDown, read_text, text_maxima
from neurons.models import Network
from neurons.store.harvest import HarvestStore
from neurons.tests.inference.factories import make_harvest, make_home, save_rows
from neurons.views import live
from neurons.views.live_edits import EditLog

pytestmark = pytest.mark.django_db
LAYER, INDEX = 1, 7
TEXT = "the licence für 日本語 returns café"


@pytest.fixture(scope="module")
def home():
    with make_home() as home:
        make_harvest(home)
        yield home


@pytest.fixture
def run(home):
    return save_rows(home)


def make_client(group="statistician") -> Client:
    client = Client()
    user = get_user_model().objects.create_user(username=group, password="a-long-enough-password")
    user.groups.add(Group.objects.get_or_create(name=group)[0])
    client.force_login(user)
    return client


@pytest.fixture
def researcher(run) -> Client:
    return make_client()


def text_url(layer=LAYER, index=INDEX) -> str:
    return reverse("neurons:own_text", args=["small-solu", layer, index])


def search_url() -> str:
    return reverse("neurons:reverse", args=["small-solu"])


def send(client, **form):
    """What the form sends, state and text of the last answer included."""
    return client.post(text_url(), {"text": TEXT} | form)


def go_on(client, answer, **form):
    """The next step from an answer."""
    return send(client, text=answer.context["log"].text, state=answer.context["state"], **form)


def peak_of(run, text) -> float:
    neuron = [(LAYER, INDEX)]
    return float(text_maxima(run.network, run.corpus, [text], site="post_act", neurons=neuron).values[0, 0])


# -- your own text -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("group", ["evaluators", ""])
def test_only_admins_and_researchers_reach_the_pages(run, group):
    client = make_client(group) if group else Client()
    Network.objects.update(is_public=True)
    for address in (text_url(), search_url()):
        for answer in (client.get(address), client.post(address, {"text": TEXT})):
            assert answer.status_code == (404 if group else 302), address


def test_neuron_and_network_pages_lead_here_but_not_visitors(researcher, run):
    neuron, network = (
        reverse(f"neurons:{page}", args=["small-solu", *at]) for page, at in (("neuron", (1, 7)), ("network", ()))
    )
    assert f'href="{text_url()}"' in researcher.get(neuron).content.decode()
    assert f'href="{search_url()}"' in researcher.get(network).content.decode()
    Network.objects.update(is_public=True)
    visitor = Client()
    for page, address in ((neuron, text_url()), (network, search_url())):
        shown = visitor.get(page)
        assert shown.status_code == 200
        assert f'href="{address}"' not in shown.content.decode()


def test_a_text_is_read_and_every_token_has_its_activation(researcher, run):
    answer = send(researcher)
    reading = read_text(run.network, run.corpus, TEXT, [(LAYER, INDEX)], site="post_act")
    assert answer.context["shown"].reading == reading
    page = answer.content.decode()
    assert page.count('class="piece"') == len(reading.pieces)
    assert f"All {len(reading.pieces)} values in a table" in page
    assert answer.context["shown"].peak == max(piece.values[0] for piece in reading.pieces)


def test_a_script_gets_the_reading_alone(researcher):
    answer = researcher.post(text_url(), {"text": TEXT}, headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert "<html" not in page
    assert 'class="piece"' in page
    assert 'name="state"' in page


def test_shades_are_pinned_to_the_harvest_the_first_reading_or_a_number(researcher, run, home):
    harvested = send(researcher).context
    assert harvested["shown"].scale == pytest.approx(harvested["harvest_maximum"])
    first = send(researcher, range="first")
    later = go_on(researcher, first, range="first").context
    assert later["shown"].scale == first.context["shown"].peak
    tiny = send(researcher, range="own", scale="0,0001")
    assert tiny.context["shown"].scale == 0.0001
    assert len(tiny.context["shown"].over) > 0
    assert "above the range" in tiny.content.decode()
    wrong = send(researcher, range="own", scale="much")
    assert wrong.context["shown"].scale == pytest.approx(harvested["harvest_maximum"])
    assert "is no number above 0" in wrong.content.decode()


def test_a_click_drops_or_replaces_a_token_and_undo_brings_it_back(researcher, run):
    first = send(researcher)
    row = first.context["shown"].rows[1]
    dropped = go_on(researcher, first, at=row.place)
    without = TEXT[: row.piece.start] + TEXT[row.piece.end :]
    assert dropped.context["text"] == without
    (edit,) = dropped.context["log"].edits
    assert (edit.removed, edit.inserted, edit.typed) == (row.piece.text, "", False)
    assert (edit.before, edit.after) == pytest.approx((peak_of(run, TEXT), peak_of(run, without)), rel=1e-5)
    replaced = go_on(researcher, dropped, at=row.place, click="replace", **{"with": " 🙂 "})
    assert replaced.context["text"] == without[: row.piece.start] + " 🙂 " + without[row.piece.end :]
    assert len(replaced.context["log"].edits) == 2
    undone = go_on(researcher, replaced, undo="1")
    assert undone.context["text"] == without
    undone = go_on(researcher, undone, undo="1")
    assert (undone.context["text"], undone.context["log"].edits) == (TEXT, ())


def test_a_click_on_a_text_that_changed_meanwhile_changes_nothing(researcher):
    first = send(researcher)
    answer = send(researcher, text=TEXT + " more", state=first.context["state"], at="0-3")
    assert answer.context["text"] == TEXT + " more"
    assert "click again" in answer.content.decode()
    for place in ("9-3", "0-9999", "x", "-1-3", "1" * 20 + "-3"):
        assert go_on(researcher, first, at=place).context["text"] == TEXT


def test_each_token_up_to_the_peak_is_dropped_in_turn(researcher, run):
    answer = send(researcher, do="drops")
    shown, drops = answer.context["shown"], answer.context["drops"]
    assert sorted(drop.row.position for drop in drops) == list(range(1, shown.peak_row.position + 1))
    assert [drop.is_peak for drop in drops].count(True) == 1
    for drop in drops:
        without = TEXT[: drop.row.piece.start] + TEXT[drop.row.piece.end :]
        assert drop.after == pytest.approx(peak_of(run, without), rel=1e-4)
    assert [drop.after for drop in drops] == sorted(drop.after for drop in drops)


def test_the_only_token_can_be_dropped(researcher):
    answer = send(researcher, text="a", do="drops")
    assert [drop.after for drop in answer.context["drops"]] == [0.0]
    gone = go_on(researcher, answer, at="0-1")
    assert gone.context["text"] == ""
    assert "Nothing to read yet" in gone.content.decode()


def test_neurons_are_ordered_by_share_of_their_own_maximum(researcher, run, home):
    layers = send(researcher, do="neurons").context["layers"]
    store = HarvestStore.open(home.folder / "artifacts/harvests/small", live_store(run).corpus)
    every = text_maxima(run.network, run.corpus, [TEXT], site="post_act").values[0].reshape(2, 24)
    for layer, shown in enumerate(layers):
        shares = every[layer] / store.maxima(layer)
        assert [row.index for row in shown.rows] == [index for index in (-shares).argsort()[:8] if shares[index] > 0]
        assert shown.rows[0].percent == pytest.approx(100 * shares.max(), rel=1e-4)


def live_store(run) -> HarvestStore:
    from neurons.selectors import harvest_store

    return harvest_store(run)


def test_one_can_start_from_a_snippet(researcher, run):
    page = researcher.get(text_url(), {"snippet": "2"})
    store = live_store(run)
    assert page.context["snippet_value"] == pytest.approx(store.top_values(LAYER, INDEX)[1])
    assert page.context["text"] in store.corpus.document_text(store.top_snippets(LAYER, INDEX, 2, 8, 8)[1].doc)
    for rank in ("0", "999", "x", "9" * 5000):
        assert researcher.get(text_url(), {"snippet": rank}).context["text"] == ""


def test_line_ends_and_leading_empty_lines_survive_the_form(researcher):
    answer = send(researcher, text="\r\n\r\nthe\r\nlicence")
    assert answer.context["text"] == "\n\nthe\nlicence"
    assert 'dir="auto" aria-describedby="text-help">\n\n\nthe\nlicence</textarea>' in answer.content.decode()


def test_markup_in_a_text_stays_text(researcher):
    page = send(researcher, text="<script>alert(1)</script>", state='"><script>').content.decode()
    assert "<script>alert" not in page
    assert "><script>" not in page.replace('<script type="module"', "")


def test_a_text_that_is_too_long_is_kept_and_the_reader_is_told(researcher):
    answer = send(researcher, text="x" * 20_001)
    assert answer.status_code == 400
    assert "at most 20,000 are read" in answer.content.decode()
    assert answer.context["text"] == "x" * 20_001


@pytest.mark.parametrize(("error", "status"), [(InferenceDown, 503), (InferenceBusy, 429)])
def test_without_an_answer_text_and_edits_stay_in_the_form(researcher, error, status):
    first = send(researcher)
    changed = go_on(researcher, first, at=first.context["shown"].rows[0].place)
    with patch.object(live, "read_text", side_effect=error("The service is away.")):
        answer = go_on(researcher, changed, undo="1")
    assert answer.status_code == status
    page = answer.content.decode()
    assert "The service is away." in page
    assert TEXT in page
    assert answer.context["state"] != EditLog().to_json()


def test_networks_that_cannot_read_say_why(researcher, run, home):
    Network.objects.filter(name="small-solu").update(format=Network.Format.RECORDS)
    for address in (text_url(), search_url()):
        assert "without a model" in researcher.get(address).content.decode()
    Network.objects.filter(name="small-solu").update(format=Network.Format.BLINDSCOPE)
    tokenizer = home.folder / "artifacts/corpora/small/tokenizer.json"
    aside = tokenizer.rename(tokenizer.with_name("aside"))
    try:
        for address in (text_url(), search_url()):
            assert "came without a tokenizer" in researcher.post(address, {"text": TEXT}).content.decode()
    finally:
        aside.rename(tokenizer)


def test_a_form_from_elsewhere_is_refused(run):
    client = make_client()
    client.handler.enforce_csrf_checks = True
    assert client.post(text_url(), {"text": TEXT}).status_code == 403
    assert client.post(search_url(), {}).status_code == 403


@pytest.mark.parametrize("place", [(2, 0), (0, 24)])
def test_a_neuron_that_is_not_there_is_not_found(researcher, place):
    assert researcher.get(text_url(*place)).status_code == 404


# -- reverse search ----------------------------------------------------------------------------------------------------
def search(client, examples, counters, **form):
    return client.post(search_url(), {"examples": examples, "counters": counters} | form)


MANY = "\n".join(f"licence number {n}" for n in range(6))
OTHERS = "\n".join(f"日本語 は {n} です" for n in range(5))


def test_neurons_are_ranked_by_how_well_they_part_the_texts(researcher, run):
    answer = search(researcher, MANY, OTHERS)
    found = answer.context["found"]
    texts = MANY.split("\n") + OTHERS.split("\n")
    values = text_maxima(run.network, run.corpus, texts, site="post_act").values.clip(min=0)
    best = found.rows[0]
    column = best.layer * 24 + best.index
    pairs = [(a > b) + (a == b) / 2 for a in values[:6, column] for b in values[6:, column]]
    assert best.auc == pytest.approx(sum(pairs) / 30)
    assert best.low < best.auc <= best.high
    assert [row.auc for row in found.rows] == sorted((row.auc for row in found.rows), reverse=True)
    assert (found.neurons, len(found.rows)) == (48, 25)
    assert found.halves is not None
    page = answer.content.decode()
    assert best.url in page
    assert best.text_url in page
    assert search(researcher, MANY, OTHERS).context["found"] == found


def test_the_other_network_of_the_pair_can_be_searched_too(researcher):
    page = researcher.get(search_url())
    assert [one.name for one in page.context["partners"]] == ["small-gelu"]
    found = search(researcher, MANY, OTHERS, **{"with": "small-gelu"}).context["found"]
    assert found.neurons == 96
    assert {row.network for row in found.rows} == {"small-solu", "small-gelu"}


def test_texts_of_several_lines_are_parted_by_empty_lines(researcher):
    groups = search(researcher, "a\nb\n\n \nc", "d\n\ne\n\nd", how="blocks").context["groups"]
    assert (groups.examples, groups.counters, groups.repeated) == (("a\nb", "c"), ("d", "e"), 1)


@pytest.mark.parametrize(
    ("examples", "counters", "said"),
    [
        ("a", "b\nc", "There are 1 different examples"),
        ("a\na", "b\nc", "There are 1 different examples"),
        ("a\nb", "", "There are 0 different counter-examples"),
        ("a\nb", "b\nc", "stands among the examples and among"),
        ("\n".join(map(str, range(150))), "\n".join(map(str, range(200, 260))), "at most 200 are compared"),
        ("a " * 60_000, "b\nc", "at most 100,000 are read"),
        ("\n".join(f"{n} " * 30 for n in range(120)), "\n".join(f"{n} x" * 45 for n in range(80)), "at most 20,000"),
    ],
)
def test_what_cannot_be_compared_is_said_and_stays_in_the_boxes(researcher, examples, counters, said):
    with patch("neurons.views.reverse.MOST_TOKENS", 5_000 if "20,000" in said else 20_000):
        answer = search(researcher, examples, counters)
    assert answer.status_code == 400
    assert said.replace("20,000", "5,000") in answer.content.decode()
    assert (answer.context["examples"], answer.context["counters"]) == (examples, counters)


# -- torch -------------------------------------------------------------------------------------------------------------
FRESH = """
import django, sys
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from neurons.models import *
pair = NetworkPair.objects.create(name="small", size="2L-16", config={})
network = Network.objects.create(name="small-solu", pair=pair, activation="solu", n_layers=2, d_mlp=24, url=%(network)r)
corpus = Corpus.objects.create(name="small", url="corpora/small", tokenizer_fingerprint=%(tokenizer)r, documents=1,
                               text_bytes=1, tokens=1)
HarvestRun.objects.create(network=network, corpus=corpus, site="post_act", config={}, status="done",
                          url="harvests/small")
user = get_user_model().objects.create_superuser("root", password="a-long-enough-password")
client = Client(); client.force_login(user)
read = client.post("/neurons/networks/small-solu/1/7/text/", {"text": "the licence", "do": "drops"})
assert b'class="piece"' in read.content and b'id="drops"' in read.content, read.content
found = client.post("/neurons/networks/small-solu/reverse/", {"examples": "a\\nb", "counters": "c\\nd"})
assert b'id="results"' in found.content, found.content
assert client.get("/neurons/networks/small-solu/1/7/").status_code == 200
sys.exit("torch was loaded" if "torch" in sys.modules else 0)
"""


def test_a_process_that_draws_the_pages_never_loads_torch(home):
    facts = {"network": home.network.url, "tokenizer": home.corpus.tokenizer_fingerprint}
    environment = os.environ | {"DATABASE_URL": f"sqlite:///{home.folder / 'fresh.sqlite3'}"}
    environment["BLINDSCOPE_ALLOWED_HOSTS"] = "testserver"
    done = subprocess.run(
        [sys.executable, "-c", FRESH % facts], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
