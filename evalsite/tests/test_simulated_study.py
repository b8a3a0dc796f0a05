"""A whole study of 180 neurons, played over HTTP by three simulated raters, and what its report finds."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from annotation import services
from annotation.models import Judgment, StudyEvent
from annotation.tests.factories import fake_harvests, make_design

NEURONS, RATERS = 60, 3


@pytest.mark.django_db(transaction=True)
def test_the_report_finds_the_planted_fractions_inside_its_intervals(live_server, tmp_path):
    design = make_design(rater_kind="simulated", raters=RATERS, raters_per_neuron=RATERS, neurons_per_arm=NEURONS)
    with fake_harvests(d_mlp=90):
        study = services.study_open(study=services.study_freeze(study=services.study_create(design=design)))
    call_command(
        "study_simulate", study.slug, raters=RATERS, url=live_server.url, stdout=StringIO(), stderr=StringIO()
    )
    assert Judgment.objects.filter(is_current=True).count() == 3 * NEURONS * RATERS

    study = services.study_close(study=study, reason="The simulated raters are through.")
    services.study_unblind(study=study, reason="The test reads the report.")
    call_command("study_export", study.slug, "--out", str(tmp_path / "report"), stdout=StringIO())
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    numbers = {number["id"]: number for number in report["numbers"]}
    planted = StudyEvent.objects.get(study=study, action="simulated raters planted").details["planted"]
    assert len(planted) == 3
    for group in planted:
        fraction = numbers[f"fraction/{group['size']}/{group['arm']}/all/all"]
        assert fraction["low"] <= group["interpretable"] / group["neurons"] <= fraction["high"]
        assert fraction["high"] - fraction["low"] < 0.35
    assert "simulated raters" in (tmp_path / "report" / "report.html").read_text()
