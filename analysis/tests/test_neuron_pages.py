"""The table of every neuron: after unblinding only, filtered, sorted, a page at a time, with a way to each neuron."""

import re
from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from analysis.neuron_pages import ROWS, NeuronQuery, kept_table, neuron_page
from analysis.services import StudyStillBlinded
from analysis.tests.factories import make_study, make_user
from annotation.audit.protect import protection_lifted
from annotation.models import Assignment, Evaluator, Item, Judgment, Seat
from annotation.sealed.models import SealedKey
from annotation.services.leaving import rater_erase
from neurons.models import HarvestRun

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_kept():
    """Here studies come and go under one number, which on a site they never do."""
    kept_table.cache_clear()


@pytest.fixture
def researcher(client):
    client.force_login(make_user("researcher", "statistician"))
    return client


def page_of(client, study, **asked) -> str:
    response = client.get(reverse("analysis:neurons", args=[study.slug]), asked)
    assert response.status_code == 200
    return response.content.decode()


def shown(page: str) -> list[str]:
    heads = re.findall(r'<th scope="row">(.*?)</th>', page)
    return [re.sub(r"<[^>]+>", "", head) for head in heads]


def test_a_blinded_study_shows_no_neuron_and_reads_no_sealed_table(researcher):
    study = make_study(unblinded=False, neurons=3)
    with CaptureQueriesContext(connection) as queries:
        response = researcher.get(reverse("analysis:neurons", args=[study.slug]))
    assert response.status_code == 403
    assert not [word for word in ("baseline", "solu", "1L-256") if word in response.content.decode()]
    assert not [query["sql"] for query in queries if "sealed" in query["sql"]]
    with pytest.raises(StudyStillBlinded):
        neuron_page(study, NeuronQuery())


def test_a_table_that_is_kept_is_asked_for_the_key_every_time(researcher):
    study = make_study(neurons=3)
    neuron_page(study, NeuronQuery())
    with protection_lifted(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM annotation_unblinding")
    with pytest.raises(StudyStillBlinded):
        neuron_page(study, NeuronQuery())


def test_every_neuron_has_its_verdicts_by_rater_and_its_rules(researcher):
    study = make_study(neurons=4, yes={"baseline": 1, "solu": 2}, raters=2)
    page = page_of(researcher, study)
    assert len(shown(page)) == 8
    assert page.count("“=SUM(A1:A9)”") == 3 * 2
    assert page.count("small-study-rater-1") >= 8
    assert "2 of 2" in page


def test_filters_keep_what_they_say(researcher):
    study = make_study(neurons=4, yes={"baseline": 1, "solu": 3}, sizes=("1L-256", "2L-256"))
    assert len(shown(page_of(researcher, study, size="2L-256"))) == 8
    assert len(shown(page_of(researcher, study, arm="solu"))) == 8
    assert len(shown(page_of(researcher, study, verdict="yes"))) == 2 * 4
    assert len(shown(page_of(researcher, study, verdict="yes", arm="baseline"))) == 2
    assert len(shown(page_of(researcher, study, q="sum(a1"))) == 8
    assert shown(page_of(researcher, study, q="2L-256/solu/L0N2")) == ["2L-256/solu/L0N2"]
    assert shown(page_of(researcher, study, q="no such rule")) == []


def test_raters_who_disagree_and_neurons_that_nobody_judged_can_be_found(researcher):
    study = make_study(neurons=3, yes={"baseline": 0, "solu": 3}, raters=3)
    ours = Judgment.objects.filter(assignment__seat__number=1, verdict="yes").order_by("pk").first()
    with protection_lifted():
        Judgment.objects.filter(pk=ours.pk).update(verdict="no")
    page = page_of(researcher, study, verdict="split")
    assert len(shown(page)) == 1
    assert len(shown(page_of(researcher, study, verdict="none"))) == 0


def test_the_order_can_be_turned_and_pages_are_walked(researcher):
    study = make_study(neurons=40, yes={"baseline": 10, "solu": 30}, raters=1)
    first, second = (shown(page_of(researcher, study, page=page)) for page in (1, 2))
    assert (len(first), len(second)) == (ROWS, 80 - ROWS)
    assert not set(first) & set(second)
    ordered = page_of(researcher, study, sort="-share")
    assert 'aria-sort="descending"' in ordered
    judged = [int(yes) for yes in re.findall(r">(\d) of 1<", ordered)]
    assert judged == sorted(judged, reverse=True)
    for nonsense in ({"page": "99999999999"}, {"page": "-1"}, {"page": "²"}, {"sort": "rules"}, {"verdict": "x"}):
        assert shown(page_of(researcher, study, **nonsense))


def test_a_neuron_leads_to_its_own_page_where_its_harvest_is_finished(researcher):
    study = make_study(neurons=2)
    run = HarvestRun.objects.filter(network__name="1l-256-gelu").get()
    assert f'/neurons/networks/1l-256-gelu/0/1/?harvest={run.pk}"' in page_of(researcher, study, arm="baseline")
    HarvestRun.objects.update(status="failed")
    assert "/neurons/networks/" not in page_of(researcher, study, arm="baseline")


def test_a_rule_cannot_break_the_page(researcher):
    study = make_study(neurons=2)
    with protection_lifted():
        Judgment.objects.filter(verdict="yes").update(rule="<script>alert(1)</script>")
    page = page_of(researcher, study, q="<script>")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_an_erased_word_is_gone_from_the_kept_table(researcher):
    study = make_study(neurons=2, raters=1)
    assert "SUM(A1:A9)" in page_of(researcher, study)
    Seat.objects.update(seated_at=timezone.now() - timedelta(days=1))
    rater_erase(evaluator=Evaluator.objects.get(pseudonym="small-study-rater-1"))
    page = page_of(researcher, study)
    assert ("SUM(A1:A9)" in page) == Judgment.objects.filter(rule__contains="SUM").exists()


def test_ten_thousand_neurons_are_one_small_page(researcher):
    study = make_study(neurons=1, raters=1)
    _many(study, 10_000)
    page = page_of(researcher, study)
    assert "10,001 neurons" in page or "10,002 neurons" in page
    assert len(shown(page)) == ROWS
    assert len(page) < 100_000
    with CaptureQueriesContext(connection) as queries:
        page_of(researcher, study, page=150)
    assert len(queries) < 20


def _many(study, count):
    """More neurons of one arm, judged by the one rater."""
    seat, key = study.seats.get(), SealedKey.objects.filter(study=study).first()
    generator = np.random.default_rng(1)
    items = Item.objects.bulk_create(Item(study=study, snippets=[[["text", 0]]]) for _ in range(count))
    SealedKey.objects.bulk_create(
        SealedKey(item=item, study=study, size=key.size, arm=key.arm, harvest=key.harvest, layer=0, neuron=number + 10,
                  corpus=key.corpus)
        for number, item in enumerate(items)
    )  # fmt: skip
    places = Assignment.objects.bulk_create(
        Assignment(seat=seat, item=item, position=number + 10) for number, item in enumerate(items)
    )
    Judgment.objects.bulk_create(
        Judgment(assignment=place, idempotency_key=str(place.position), verdict=str(generator.choice(["yes", "no"])),
                 rule="a rule", active_ms=1, wall_ms=1, shown_at=timezone.now())
        for place in places
    )  # fmt: skip
