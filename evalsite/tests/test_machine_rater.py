"""The example client takes part in a study over real connections, and gets through when the network is bad."""

import importlib.util
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from urllib.error import URLError

import pytest
from django.conf import settings
from django.core.cache import cache

from annotation.models import Judgment
from annotation.services.tokens import machine_declare, token_revoke
from annotation.tests.factories import make_open_study, make_rater, rate_all

EXAMPLE = Path(settings.BASE_DIR) / "docs/examples/machine_rater.py"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("machine_rater", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    cache.clear()
    return module


@pytest.fixture
def study():
    return make_open_study(raters=1, guess={"items": 0}, assignment={"machine_raters": 1})


@pytest.fixture
def declared(study):
    return machine_declare(study=study, name="Words", version="1.2", model="none", days=1)


def test_the_example_rates_a_whole_study_beside_people_and_is_marked_as_a_machine(live_server, study, declared):
    machine, _, key = declared
    person = make_rater(study)
    rate_all(person, study)
    ran = subprocess.run(
        [sys.executable, str(EXAMPLE), live_server.url],
        env=os.environ | {"BLINDSCOPE_TOKEN": key},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    items = study.seats.get(kind="machine").assignments.count()
    assert ran.stdout == f"{items} items answered\n"
    assert Counter(Judgment.objects.values_list("assignment__seat__kind", flat=True)) == {
        "human": study.seats.get(kind="human").assignments.count(),
        "machine": items,
    }
    assert study.seats.get(kind="machine").evaluator == machine.evaluator


def test_receipts_that_get_lost_on_the_way_lose_and_double_no_answer(live_server, study, declared, client_module):
    """Every second reply to an answer never arrives; the answer is sent again with the same key."""
    real, sent = client_module.urlopen, []

    def shaky(request, timeout):
        reply = real(request, timeout=timeout)
        if request.full_url.endswith("/answer"):
            sent.append(request.get_header("Idempotency-key"))
            if len(sent) % 2:
                raise URLError("connection reset")
        return reply

    client_module.urlopen = shaky
    site = client_module.Site(live_server.url, declared[2], sleep=lambda seconds: None)
    client_module.prepare(site)
    answered = client_module.rate(site)
    assert Judgment.objects.count() == answered == study.seats.get(kind="machine").assignments.count()
    assert set(Counter(sent).values()) == {2}


def test_a_busy_site_is_asked_again_after_the_time_it_says(live_server, study, declared, client_module, settings):
    settings.API_RATE = "2/h"
    waits = []

    def wait(seconds):
        waits.append(seconds)
        settings.API_RATE = "600/min"

    site = client_module.Site(live_server.url, declared[2], sleep=wait)
    client_module.prepare(site)
    assert waits == [client_module.LONGEST_WAIT]


def test_a_refusal_is_told_and_not_tried_again(live_server, study, declared, client_module):
    site = client_module.Site(live_server.url, declared[2], sleep=None)
    with pytest.raises(client_module.Refused, match="409") as refusal:
        site.get("/next")
    assert refusal.value.body["field"] == "instructions"
    token_revoke(token=declared[1])
    with pytest.raises(client_module.Refused, match="401"):
        site.get("/next")


def test_the_example_decides_by_what_is_on_the_screen(client_module):
    def snippet(word):
        return {"pieces": [{"text": " the", "band": 0}, {"text": f" {word}", "band": 3}]}

    same = client_module.decide({"snippets": [snippet("cat")] * 5})
    assert (same["verdict"], same["rule"]) == ("yes", "the word “cat”")
    assert client_module.decide({"snippets": [snippet(word) for word in "abcde"]})["verdict"] == "no"
    assert json.dumps(same)
