"""The commands: a study led from the command line, and one played over HTTP by simulated raters."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from annotation.audit.protect import protection_lifted
from annotation.models import Evaluator, Judgment, Study, StudyEvent
from annotation.protocols.simulated import PAPER_SHARES
from annotation.sealed.keys import OPENED_FOR_SIMULATION, keys_read
from annotation.tests.factories import fake_harvests, make_frozen_study, make_open_study, make_study

TOML = """
title = "From a file"
slug = "from-a-file"
seed = 5
corpus = "tiny"
neurons_per_arm = 2
snippets_per_neuron = 3

[[pairs]]
size = "tiny"
layers = [0]

[pairs.arms]
baseline = "tiny-gelu"
solu = "tiny-solu-ln"

[blinding]
unblinders = 1
"""


def run(*args: str) -> str:
    out = StringIO()
    call_command(*args, stdout=out)
    return out.getvalue()


@pytest.fixture
def toml(tmp_path):
    path = tmp_path / "design.toml"
    path.write_text(TOML)
    return str(path)


@pytest.mark.django_db
def test_a_study_is_led_from_its_file_to_unblinding_by_commands(toml):
    with fake_harvests():
        run("study_create", "--from", toml)
        assert "protocol sha256" in run("study_freeze", "from-a-file")
    assert run("study_open", "from-a-file") == "from-a-file: open\n"
    run("study_close", "from-a-file", "--reason", "The time is over.")
    run("study_unblind", "from-a-file", "--reason", "The analysis is due.")
    assert "all as frozen" in run("study_verify", "from-a-file")
    assert Study.objects.get(slug="from-a-file").state == Study.State.UNBLINDED


@pytest.mark.django_db
def test_create_can_freeze_and_open_at_once(toml):
    with fake_harvests():
        assert run("study_create", "--from", toml, "--open") == "from-a-file: open\n"


@pytest.mark.django_db
def test_refusals_are_sentences(toml, tmp_path):
    with pytest.raises(CommandError, match="no study 'nowhere'"):
        run("study_freeze", "nowhere")
    with pytest.raises(CommandError, match="Cannot read"):
        run("study_create", "--from", str(tmp_path / "missing.toml"))
    with pytest.raises(CommandError, match="no finished harvest over the corpus 'tiny'"):
        run("study_create", "--from", toml, "--freeze")
    with pytest.raises(CommandError, match="must be frozen"):
        run("study_open", make_study().slug)
    closed = make_open_study().slug
    run("study_close", closed, "--reason", "it is enough")
    with pytest.raises(CommandError, match="characters as the reason"):
        run("study_unblind", closed, "--reason", "why not")


@pytest.mark.django_db
def test_people_cannot_be_simulated():
    with pytest.raises(CommandError, match="rated by people"):
        run("study_simulate", make_open_study().slug, "--raters", "2")
    assert not Evaluator.objects.exists()


@pytest.mark.django_db
def test_a_simulation_needs_an_open_study_and_enough_seats():
    with pytest.raises(CommandError, match="must be open"):
        run("study_simulate", make_frozen_study(rater_kind="simulated").slug)
    with pytest.raises(CommandError, match="has 2 seats"):
        run("study_simulate", make_open_study(rater_kind="simulated").slug, "--raters", "3")


@pytest.mark.django_db(transaction=True)
def test_simulated_raters_play_a_whole_study_over_http_and_answer_what_was_planted(live_server):
    study = make_open_study(rater_kind="simulated", neurons_per_arm=10)
    said = run(
        "study_simulate", study.slug, "--raters", "2", "--url", live_server.url, "--parallel", "1", "--error", "0"
    )
    assert f"{study.slug}: 60 answers by 2 simulated raters" in said
    assert {evaluator.kind for evaluator in Evaluator.objects.all()} == {"simulated"}
    planted = StudyEvent.objects.get(study=study, action="simulated raters planted").details["planted"]
    assert {group["arm"]: group["interpretable"] for group in planted} == {
        arm: round(share * 10) for arm, share in PAPER_SHARES.items()
    }
    assert StudyEvent.objects.filter(study=study, action=OPENED_FOR_SIMULATION).exists()
    run("study_close", study.slug, "--reason", "All raters are done.")
    run("study_unblind", study.slug, "--reason", "All judgments are in.")
    arm_of = {row.item_id: row.arm for row in keys_read(study)}
    verdicts: dict[int, set[str]] = {}
    for item, verdict in Judgment.objects.exclude(verdict="cannot").values_list("assignment__item_id", "verdict"):
        verdicts.setdefault(item, set()).add(verdict)
    assert all(len(answers) == 1 for answers in verdicts.values())
    for group in planted:
        yes = sum("yes" in answers for item, answers in verdicts.items() if arm_of[item] == group["arm"])
        unseen = sum(arm == group["arm"] for arm in arm_of.values()) - sum(
            arm_of[item] == group["arm"] for item in verdicts
        )
        assert group["interpretable"] - unseen <= yes <= group["interpretable"]


@pytest.mark.django_db(transaction=True)
def test_a_simulation_that_was_cut_off_goes_on_where_it_stopped(live_server):
    study = make_open_study(rater_kind="simulated", raters=1)
    given = ["study_simulate", study.slug, "--raters", "1", "--url", live_server.url]
    run(*given)
    with protection_lifted():
        Judgment.objects.filter(assignment__position__gt=9).delete()
    study.seats.get().assignments.filter(position__gt=9).update(done_at=None)
    assert "3 answers by 1 simulated raters" in run(*given)
    assert Judgment.objects.count() == 12


@pytest.mark.django_db
def test_a_site_that_is_not_there_is_a_sentence():
    study = make_open_study(rater_kind="simulated", raters=1)
    with pytest.raises(CommandError, match="The simulation stopped"):
        run("study_simulate", study.slug, "--raters", "1", "--url", "http://127.0.0.1:9")


def test_a_share_outside_0_to_1_is_refused_with_what_was_received():
    with pytest.raises(CommandError, match="Received 'solu=2'"):
        run("study_simulate", "any", "--share", "solu=2")


@pytest.mark.django_db
def test_the_protocol_of_a_simulated_study_says_so(toml):
    study = make_frozen_study(rater_kind="simulated")
    assert json.loads(study.protocol)["design"]["rater_kind"] == "simulated"
