"""Displays tried on a design before there is a study."""

from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command

from annotation.models import Item, LeakAudit, Study
from annotation.protocols.display import detail_kept, mark_matched, mark_peak, mark_proportional
from annotation.services import harvests
from annotation.services.display_trial import DISPLAYS, display_trial
from annotation.tests.factories import make_design, make_harvest_run
from annotation.tests.test_leak_audit import TWO, ArmHarvest

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def arms():
    with (
        patch.object(harvests, "harvest_finished", make_harvest_run),
        patch.object(harvests, "harvest_store", lambda run: ArmHarvest(run.network.name)),
    ):
        yield


def tried(label: str):
    (display,) = (display for display in DISPLAYS if display.label == label)
    return display_trial(make_design(pairs=TWO, even_characters=90), display, neurons=25)


def test_a_trial_tells_what_a_display_gives_away_and_stores_nothing():
    (pair,) = tried("proportional, 5 bands").numbers.pairs
    assert pair.presentation.auc > 0.95
    assert not [kind for kind in (Study, Item, LeakAudit) if kind.objects.exists()]


def test_marks_of_more_bands_tell_more_of_what_fired():
    alone, three, matched = (tried(label).detail for label in ("peak alone", "peak, 3 marks", "matched"))
    for arm in ("baseline", "solu"):
        assert alone[arm] < three[arm] < matched[arm] < 1


def test_detail_is_all_where_bands_are_the_activations_and_nothing_where_all_are_marked_alike():
    pieces = [("ab", 0.0), ("c", 5.0), ("de", 10.0), ("f", 0.0)]
    assert detail_kept([pieces], [mark_proportional(pieces, 10.0, 2)]) == pytest.approx(1)
    assert 0 < detail_kept([pieces], [mark_peak(pieces, 2, 1)]) < 1
    assert detail_kept([pieces], [[("abcdef", 1)]]) == 0
    twice = [(pieces, 2), (pieces, 2)]
    assert detail_kept([pieces, pieces], mark_matched(twice, (1,))) == pytest.approx(1)


def test_the_command_prints_a_table_that_fits_the_documentation(tmp_path, capsys):
    (tmp_path / "design.toml").write_text(
        'title = "T"\nslug = "t"\nseed = 1\ncorpus = "tiny"\nsnippets_per_neuron = 5\n[[pairs]]\nsize = "tiny"\n'
        'layers = [0]\n[pairs.arms]\nbaseline = "tiny-gelu"\nsolu = "tiny-solu-ln"\n'
    )
    file = str(tmp_path / "design.toml")
    call_command("display_leaks", "--from", file, "--neurons", "20", "--display", "peak alone")
    head, rule, row = capsys.readouterr().out.splitlines()
    assert head.count("|") == rule.count("|") == row.count("|") == 9
    assert row.startswith("| tiny | baseline, solu | peak alone | 0.")
    with pytest.raises(CommandError, match="known are: proportional, 5 bands; rank"):
        call_command("display_leaks", "--from", file, "--display", "neon")
