"""The page of one harvest, over HTTP: what it says in each state, and to whom."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from neurons import leases
from neurons.models import HarvestRun
from neurons.tests.test_leases import finish_all, lose, make_run
from neurons.tests.test_pages import make_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> HarvestRun:
    return make_run()


@pytest.fixture
def researcher() -> Client:
    return make_client("statistician")


def page(run: HarvestRun, client: Client) -> str:
    answer = client.get(reverse("neurons:run", args=[run.pk]))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def change(run: HarvestRun, **changes: object) -> None:
    HarvestRun.objects.filter(pk=run.pk).update(**changes)


def test_a_harvest_at_work_shows_its_workers_speed_and_time_left(run, researcher):
    for name, read in (("gpu-1:7", 100), ("gpu-2:9", 50)):
        shard = leases.shard_claim(run=run, worker=name)
        leases.shard_renew(shard=shard, tokens_read=read, tokens_per_second=2.5)
    said = page(run, researcher)
    assert "150 of 900" in said
    assert "5 tokens per second" in said
    assert "about 2 min 30 s" in said
    assert "0 of 3 read" in said
    assert "gpu-1:7" in said
    assert "gpu-2:9" in said
    assert 'http-equiv="refresh"' in said


def test_a_worker_that_is_silent_is_named_and_a_harvest_without_workers_says_what_to_do(run, researcher):
    leases.shard_claim(run=run, worker="gpu-1:7")
    assert "not heard of" not in page(run, researcher)
    lose(run)
    said = page(run, researcher)
    assert "not heard of" in said
    assert "No worker has been heard of lately" in said
    leases.shard_claim(run=run, worker="gpu-2:9")
    said = page(run, researcher)
    assert "1 worker was lost and replaced" in said
    assert "No worker has been heard of lately" not in said


def test_while_the_shards_are_joined_the_page_says_so(run, researcher):
    finish_all(run)
    leases.merge_claim(run=run)
    change(run, message="joining 3 shards")
    said = page(run, researcher)
    assert "joining 3 shards" in said
    assert "3 of 3 read" in said
    assert "No worker has been heard of" not in said


def test_a_waiting_harvest_says_how_a_worker_is_started(run, researcher):
    change(run, status="waiting")
    assert "celery -A evalsite worker" in page(run, researcher)


def test_a_failed_harvest_says_why_and_that_nothing_is_lost(run, researcher):
    change(run, status="failed", message="OSError: no space left on device")
    said = page(run, researcher)
    assert "no space left on device" in said
    assert "it goes on from there" in said
    assert "refresh" not in said


def test_a_finished_harvest_warns_of_values_that_are_no_numbers(run, researcher):
    finish_all(run)
    change(run, status="done", tokens_seen=900, started_at=Now(), finished_at=timezone.now() + timedelta(minutes=5))
    assert "NaN" not in page(run, researcher)
    change(run, not_finite=1234)
    said = page(run, researcher)
    assert "1,234 activations were NaN or infinite" in said
    assert "5 min" in said


def test_only_admins_are_offered_to_change_something(run, researcher):
    action = reverse("staff:harvest_cancel", args=[run.pk])
    assert action not in page(run, researcher)
    said = page(run, make_client("admin"))
    assert action in said
    assert reverse("staff:harvest_send", args=[run.pk]) in said


def test_raters_and_strangers_do_not_see_it(run, researcher):
    address = reverse("neurons:run", args=[run.pk])
    assert make_client("evaluators").get(address).status_code == 404
    assert make_client().get(address).status_code == 302
    assert researcher.get(reverse("neurons:run", args=[run.pk + 1])).status_code == 404


def test_a_harvest_of_ten_thousand_shards_keeps_the_page_small(run, researcher):
    run.shards.all().delete()
    leases.shards_make(run=run, cuts=[(number, number + 1, 100) for number in range(10_000)])
    run.shards.update(attempt=2)
    answer = researcher.get(reverse("neurons:run", args=[run.pk]))
    assert len(answer.content) < 50_000
    assert "And 9,940 more." in answer.content.decode()
