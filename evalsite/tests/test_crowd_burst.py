"""Many participants at once, over real connections: each gets a seat of their own or a polite no, and none gets two."""

import os
import re
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, build_opener

import pytest

from annotation.models import Assignment, CrowdPerson, CrowdSubmission, Evaluator, Seat
from annotation.services.intake import intake_save
from annotation.tests.factories import make_open_study
from annotation.tests.postgresql import postgresql_server

ARRIVALS, SEATS, AT_ONCE = 36, 24, 12


class StayHere(HTTPRedirectHandler):
    """Take a redirect as the answer."""

    def redirect_request(self, *args, **kwargs):
        return None


def arrive(url: str, person: str, gate: threading.Barrier | None = None) -> int:
    """Open the link and press the button, as a browser does; the status of the answer."""
    browser = build_opener(HTTPCookieProcessor(CookieJar()), StayHere)
    page = browser.open(f"{url}?{urlencode({'PROLIFIC_PID': person, 'STUDY_ID': 's', 'SESSION_ID': f'at-{person}'})}")
    fields = dict(re.findall(r'name="(arrival|csrfmiddlewaretoken)" value="([^"]+)"', page.read().decode()))
    if gate is not None:
        gate.wait(timeout=60)
    try:
        return browser.open(url, urlencode(fields).encode()).status
    except OSError as answer:
        return answer.code


@pytest.mark.django_db(transaction=True)
def test_a_burst_of_arrivals_fills_every_seat_once_and_sends_the_rest_away(live_server):
    study = make_open_study(raters=SEATS, raters_per_neuron=6)
    intake = intake_save(study=study, signed=False, code_screened_out="CFULL")
    url = f"{live_server.url}/enter/{intake.token}/"
    people = [f"person-{number}" for number in range(ARRIVALS)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        told = Counter(pool.map(lambda person: arrive(url, person), people))
    assert told == {302: SEATS, 200: ARRIVALS - SEATS}
    assert Counter(CrowdSubmission.objects.values_list("status", flat=True)) == {
        "started": SEATS,
        "full": ARRIVALS - SEATS,
    }
    seated = Seat.objects.filter(study=study).values_list("evaluator", flat=True)
    assert len(set(seated)) == SEATS
    assert None not in seated
    assert Evaluator.objects.count() == SEATS
    per_item = Counter(Assignment.objects.values_list("item", flat=True))
    assert set(per_item.values()) == {6}


@pytest.mark.django_db(transaction=True)
def test_one_person_in_many_tabs_has_one_seat(live_server):
    study = make_open_study(raters=4, raters_per_neuron=2)
    intake = intake_save(study=study, signed=False)
    url, gate = f"{live_server.url}/enter/{intake.token}/", threading.Barrier(6)
    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda _: arrive(url, "the-same-person", gate), range(6)))
    assert told == [302] * 6
    assert CrowdPerson.objects.count() == CrowdSubmission.objects.count() == Evaluator.objects.count() == 1
    assert Seat.objects.filter(study=study, evaluator__isnull=False).count() == 1


def test_the_same_holds_on_postgresql_where_arrivals_really_run_side_by_side():
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("BLINDSCOPE", "PYTEST", "DJANGO"))
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb", "short"]
    with postgresql_server() as address:
        done = subprocess.run(
            [*command, "-k", "not postgresql", __file__],
            env=kept | {"DATABASE_URL": address, "BLINDSCOPE_SECRET_KEY": "only-for-tests"},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stdout[-6_000:]
    assert "2 passed" in done.stdout
