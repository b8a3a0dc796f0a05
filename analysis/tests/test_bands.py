"""The spectrum in the report: interpretable fractions by band, joined from verdicts and the opened key."""

import re
from dataclasses import replace

import pandas as pd
import pytest

from analysis.export import report_files
from analysis.reports import report_make
from analysis.services import report_sources
from analysis.tests.test_responses import play
from annotation.sealed.models import SealedKey
from annotation.tests.factories import make_answer, make_open_study

pytestmark = pytest.mark.django_db
BANDS = ["top", "99–99.9 %", "90–99 %", "50–90 %", "silent"]
HOLDS = {"baseline": BANDS[:1], "solu": BANDS[:3], "ln_only": []}


def answer(page, truth):
    """A rater whose rule holds at the top alone in the baseline, down to 90 % in SoLU, and nowhere with LN only."""
    arm = SealedKey.objects.get(item__assignments__public_id=page.assignment).arm
    if not HOLDS[arm]:
        return make_answer("no")
    said = {name: "yes" if band in HOLDS[arm] else "no" for name, band in truth["kinds"].items()}
    return make_answer("yes", responses=said)


@pytest.fixture
def sources():
    study = play(make_open_study(protocol="spectrum", raters=1, snippets_per_neuron=5, neurons_per_arm=3), answer)
    return report_sources(study=study)


def shares(report, begin, arm):
    return [next(one.estimate for one in report.select(f"{begin}{band}") if one.arm == arm) for band in BANDS]


def test_a_plan_that_asks_about_new_raters_gets_the_bands_for_them_too(sources):
    judgments = pd.concat([sources.tables().judgments.assign(rater=f"rater {number}") for number in range(3)])
    tables, plan = sources.tables(), replace(sources.report.plan, asks="generalising")
    report = report_make(judgments, tables.neurons, tables.draws, tables.raters, plan, input_sha256="0" * 64)
    for band in BANDS:
        old, new = (
            next(one for one in report.select(f"{begin}{band}") if one.arm == "solu")
            for begin in ("band: ", "band for new raters: ")
        )
        assert new.estimate == old.estimate
        assert "generalising question" in new.estimand


def test_fractions_and_differences_stand_band_by_band(sources):
    assert shares(sources.report, "band: ", "solu") == [1, 1, 1, 0, 0]
    assert shares(sources.report, "band: ", "baseline") == [1, 0, 0, 0, 0]
    assert shares(sources.report, "band: ", "ln_only") == [0] * 5
    assert shares(sources.report, "band difference: ", "solu") == [0, 1, 1, 0, 0]
    assert shares(sources.report, "band difference: ", "ln_only") == [-1, 0, 0, 0, 0]


def test_the_report_has_a_column_for_every_band_strongest_first(sources):
    page = report_files(sources)["report.html"]().decode()
    heads = re.findall(r"<th[^>]*>([^<]+)</th>", page)
    assert [head for head in heads if head in BANDS][: len(BANDS)] == BANDS
    assert "Interpretable by band of activation" in page
