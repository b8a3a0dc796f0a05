"""What visitors who are not signed in may read about neurons, and the locks that keep it from people who rate."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone

from annotation.models import Study
from annotation.services import evaluator_create
from evalsite.access import PUBLIC_PAGES, RATER_MARK, public_networks
from neurons.models import HarvestRun, Network
from neurons.tests.indexed import make_files, make_rows

pytestmark = pytest.mark.django_db

PUBLIC, PRIVATE = "net-gelu", "net-solu-ln"


@pytest.fixture
def runs() -> dict[str, HarvestRun]:
    runs = make_rows()
    Network.objects.filter(name=PUBLIC).update(is_public=True)
    return runs


@pytest.fixture
def visitor() -> Client:
    return Client()


def neuron_pages(name: str) -> list[str]:
    document = make_files().stores[name].top_snippets(0, 3, 1, 0, 0)[0].doc
    return [
        reverse("neurons:network", args=[name]),
        reverse("neurons:layer", args=[name, 0]),
        reverse("neurons:neuron", args=[name, 0, 3]),
        reverse("neurons:document", args=[name, 0, 3, document]),
        reverse("neurons:twin", args=[name, 0, 3, name, 0, 4]),
    ]


def common_pages() -> list[str]:
    search = reverse("neurons:search")
    return [reverse("neurons:index"), search, f"{search}?q=the", f"{search}?q=the&by=token"]


def open_pages() -> list[str]:
    return neuron_pages(PUBLIC) + common_pages()


def make_study(state: str, network: str) -> Study:
    """As little of a study as says which networks it shows."""
    design = {"pairs": [{"size": "2L", "layers": [0], "arms": [{"name": "baseline", "network": network}]}]}
    sealed = {} if state == "draft" else {"protocol": "{}", "protocol_sha256": "0" * 64}
    return Study.objects.create(slug=f"s-{state}", title="A study", state=state, design=design, **sealed)


def is_sent_to_sign_in(client: Client, address: str) -> bool:
    return client.get(address).headers.get("Location", "").startswith("/accounts/login/?next=")


# -- the table ---------------------------------------------------------------------------------------------------------
def test_every_public_page_is_a_page_and_is_covered_by_these_tests(runs):
    assert {resolve(address.split("?")[0]).view_name for address in open_pages()} == set(PUBLIC_PAGES)


def test_strangers_read_a_public_network_and_are_sent_away_from_a_private_one(runs, visitor):
    for address in open_pages():
        assert visitor.get(address).status_code == 200, address
        assert visitor.post(address).status_code in (403, 405), address
    for address in neuron_pages(PRIVATE):
        assert is_sent_to_sign_in(visitor, address), address


def test_a_private_network_and_one_that_does_not_exist_look_alike(runs, visitor):
    for name in (PRIVATE, "no-such-network"):
        answer = visitor.get(reverse("neurons:network", args=[name]))
        assert answer.headers["Location"] == f"/accounts/login/?next=/neurons/networks/{name}/"


def test_without_a_public_network_there_is_nothing_to_see(runs, visitor):
    Network.objects.update(is_public=False)
    for address in open_pages():
        assert is_sent_to_sign_in(visitor, address), address


def test_pages_about_harvests_and_corpora_stay_closed(runs, visitor):
    run = runs[PUBLIC]
    for address in (reverse("neurons:run", args=[run.pk]), reverse("neurons:corpus", args=["words"]), "/studies/"):
        assert is_sent_to_sign_in(visitor, address), address


# -- nothing private shows through -------------------------------------------------------------------------------------
def test_no_public_page_names_a_private_network(runs, visitor):
    for address in open_pages():
        page = visitor.get(address).content.decode()
        assert PRIVATE not in page, address
        assert "solu" not in page, address


def test_a_private_twin_never_shows(runs, visitor):
    page = visitor.get(reverse("neurons:neuron", args=[PUBLIC, 0, 3]))
    assert page.context["twins"] == []
    assert len(page.context["neighbours"]) == 10
    assert visitor.get(reverse("neurons:twin", args=[PUBLIC, 0, 3, PRIVATE, 0, 3])).status_code == 404
    Network.objects.filter(name=PRIVATE).update(is_public=True)
    page = visitor.get(reverse("neurons:neuron", args=[PUBLIC, 0, 3]))
    assert [twin.network for twin in page.context["twins"]] == [PRIVATE]
    assert visitor.get(reverse("neurons:twin", args=[PUBLIC, 0, 3, PRIVATE, 0, 3])).status_code == 200


def test_a_private_network_is_not_searched(runs, visitor):
    for by in ("text", "token"):
        page = visitor.get(reverse("neurons:search"), {"q": "the", "by": by})
        assert [find.network for find in page.context["finds"]] == [PUBLIC]
        assert page.context["networks"] == [PUBLIC]
        asked = visitor.get(reverse("neurons:search"), {"q": "the", "by": by, "network": PRIVATE})
        assert asked.context["finds"] == []


def test_strangers_see_no_list_of_harvests_or_corpora(runs, visitor):
    page = visitor.get(reverse("neurons:index")).content.decode()
    assert "Harvests" not in page
    assert "Corpora" not in page


def test_no_link_on_a_public_page_leads_to_a_closed_one(runs, visitor):
    for address in open_pages():
        for link in set(re.findall(r'href="(/neurons/[^"#]*)', visitor.get(address).content.decode())):
            assert visitor.get(link.replace("&amp;", "&")).status_code == 200, f"{address} leads to {link}"


def test_caches_may_keep_public_pages_for_one_reader_only(runs, visitor):
    for address in open_pages():
        header = visitor.get(address).headers["Cache-Control"]
        assert "private" in header
        assert "public" not in header
        assert "no-cache" in header


# -- people who rate ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("state", ["frozen", "open"])
@pytest.mark.parametrize("shown", [PUBLIC, PRIVATE])
def test_a_pair_is_closed_to_strangers_while_a_study_that_shows_one_of_it_runs(runs, visitor, state, shown):
    make_study(state, shown)
    assert not public_networks().exists()
    for address in open_pages():
        assert is_sent_to_sign_in(visitor, address), address


@pytest.mark.parametrize("state", ["draft", "closed", "unblinded"])
def test_a_study_that_does_not_run_closes_nothing(runs, visitor, state):
    make_study(state, PUBLIC)
    assert visitor.get(reverse("neurons:neuron", args=[PUBLIC, 0, 3])).status_code == 200


def test_a_study_of_other_networks_closes_nothing(runs, visitor):
    make_study("open", "somebody-elses-network")
    assert visitor.get(reverse("neurons:neuron", args=[PUBLIC, 0, 3])).status_code == 200


def test_an_evaluator_finds_no_public_page(runs, client):
    client.force_login(evaluator_create(username="rater", password="a-long-password-1").user)
    for address in open_pages():
        assert client.get(address).status_code == 404, address


def test_signing_in_as_an_evaluator_marks_the_browser_and_signing_out_does_not_help(runs, client):
    evaluator_create(username="rater", password="a-long-password-1")
    answer = client.post("/accounts/login/", {"username": "rater", "password": "a-long-password-1"})
    mark = answer.cookies[RATER_MARK]
    assert mark["httponly"]
    assert mark["samesite"] == "Lax"
    assert mark["max-age"] > timedelta(days=300).total_seconds()
    client.post("/accounts/logout/")
    for address in open_pages() + neuron_pages(PRIVATE):
        assert client.get(address).status_code == 404, address
    assert client.get("/accounts/login/").status_code == 200


def test_rating_marks_the_browser_of_somebody_who_was_signed_in_already(runs, client):
    client.force_login(evaluator_create(username="rater", password="a-long-password-1").user)
    assert RATER_MARK in client.get("/rate/").cookies
    assert RATER_MARK not in client.get("/rate/").cookies  # a fresh mark is not written again
    client.post("/accounts/logout/")
    assert client.get(reverse("neurons:index")).status_code == 404


def test_the_mark_is_renewed_as_time_goes_by_and_outlasts_a_session(runs, client, monkeypatch):
    client.force_login(evaluator_create(username="rater", password="a-long-password-1").user)
    client.get("/rate/")
    later = (timezone.now() + timedelta(days=200)).timestamp()
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    assert RATER_MARK in client.get("/rate/").cookies
    client.post("/accounts/logout/")
    assert client.get(reverse("neurons:index")).status_code == 404


def test_a_made_up_mark_counts_for_nothing_and_staff_are_not_marked(runs, client):
    client.cookies[RATER_MARK] = "1"
    assert client.get(reverse("neurons:index")).status_code == 200
    staff = Client()
    staff.force_login(make_researcher())
    assert RATER_MARK not in staff.get(reverse("neurons:index")).cookies


def test_staff_read_everything_also_in_a_browser_in_which_somebody_rated(runs, client):
    client.force_login(evaluator_create(username="rater", password="a-long-password-1").user)
    client.get("/rate/")
    client.force_login(make_researcher())
    make_study("open", PUBLIC)
    for address in open_pages() + neuron_pages(PRIVATE):
        assert client.get(address).status_code == 200, address


def make_researcher():
    user = get_user_model().objects.create_user(username="researcher", password="a-long-password-1")
    user.groups.add(Group.objects.get_or_create(name="statistician")[0])
    return user


# -- the switch --------------------------------------------------------------------------------------------------------
def test_a_command_makes_a_network_public_and_private_again(visitor, capsys):
    make_rows()
    address = reverse("neurons:neuron", args=[PUBLIC, 0, 3])
    assert is_sent_to_sign_in(visitor, address)
    call_command("network_publish", PUBLIC)
    assert visitor.get(address).status_code == 200
    assert "everybody" in capsys.readouterr().out
    call_command("network_publish", PUBLIC, private=True)
    assert is_sent_to_sign_in(visitor, address)
    with pytest.raises(CommandError, match="known are"):
        call_command("network_publish", "no-such-network")
