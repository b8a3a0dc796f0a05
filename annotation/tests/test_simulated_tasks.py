"""Every task type played from freeze to close by simulated raters over HTTP."""

from io import StringIO

import pytest
from django.core.management import call_command

from annotation.models import Assignment, Judgment
from annotation.protocols import TASKS
from annotation.protocols.task import Answer
from annotation.sealed.keys import keys_read_for_simulation
from annotation.tests.factories import make_open_study

DESIGNS = {
    "forced_choice": {"snippets_per_neuron": 4},
    "intruder": {"options": {"snippets_per_trial": 5, "ranges": ["top", [0.7, 1.0]]}, "snippets_per_neuron": 10},
    "rule_prediction": {"raters": 3, "raters_per_neuron": 1, "options": {"firing": 3, "silent": 3}},
}


def answers_of(study):
    return [
        (row.assignment, Answer(row.verdict, row.confidence, row.rule, tuple(row.marks), row.responses))
        for row in Judgment.objects.filter(assignment__seat__study=study).select_related("assignment__item")
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("task", DESIGNS)
def test_simulated_raters_play_a_whole_study_and_score_as_planted(task, live_server):
    study = make_open_study(protocol=task, rater_kind="simulated", neurons_per_arm=3, **DESIGNS[task])
    seats = str(study.seats.count())
    given = [
        "study_simulate",
        study.slug,
        "--raters",
        seats,
        "--url",
        live_server.url,
        "--error",
        "0",
        "--parallel",
        "1",
    ]
    given += [f"--share={arm}=1" for arm in ("baseline", "solu", "ln_only")]
    call_command(*given, stdout=StringIO())
    assert not Assignment.objects.filter(seat__study=study, done_at__isnull=True).exists()
    truth = {key.item_id: key.truth for key in keys_read_for_simulation(study)}
    scores = [TASKS[task].score(answer, truth[row.item_id]) for row, answer in answers_of(study) if truth[row.item_id]]
    assert scores
    assert set(scores) == {1.0}


@pytest.mark.django_db(transaction=True)
def test_where_a_writer_found_no_rule_the_prediction_is_retired_and_the_simulation_ends(live_server):
    study = make_open_study(
        protocol="rule_prediction", rater_kind="simulated", neurons_per_arm=3, **DESIGNS["rule_prediction"]
    )
    given = ["study_simulate", study.slug, "--raters", "3", "--url", live_server.url, "--error", "0", "--parallel", "1"]
    call_command(*given, *[f"--share={arm}=0" for arm in ("baseline", "solu", "ln_only")], stdout=StringIO())
    assert Judgment.objects.count() == 9
    assert Assignment.objects.filter(seat__study=study, retired_at__isnull=False).count() == 9
