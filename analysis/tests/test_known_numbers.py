"""Published counts give the published numbers: the SoLU paper's implied intervals, and textbook pairs of shares.

Elhage et al. (2022) printed shares, not counts: 60 neurons of each arm at 1, 16, 24, 40 and 64 layers, about 35 % and
60 % interpretable at the four smaller sizes, 42 % and 33 % at 64 layers. The counts that fit are 21 and 36 of 60, and
20 and 25 of 60. The expected values were computed from these with R 4.2.2 and Python, before there was this code.
"""

import pytest

from analysis.stats.anytime import confidence_sequence
from analysis.stats.contrasts import newcombe
from analysis.stats.exact import clopper_pearson
from analysis.stats.heterogeneity import one_against_the_others
from analysis.stats.proportions import wilson
from analysis.stats.score import fisher_midp, miettinen_nurminen, score_ratio, score_test
from analysis.stats.stratified import (
    breslow_day_tarone,
    mantel_haenszel_odds_ratio,
    mantel_haenszel_risk_difference,
    mantel_haenszel_risk_ratio,
    stratified_miettinen_nurminen,
)

ONE_SIZE, FOUR_POOLED, LARGEST = (36, 60, 21, 60), (144, 240, 84, 240), (25, 60, 20, 60)
FIVE_SIZES = [list(ONE_SIZE)] * 4 + [list(LARGEST)]
DIGITS = 5.1e-4  # three are printed


def both(interval) -> tuple[float, float]:
    return interval.low, interval.high


def hybrid(x1: int, n1: int, x0: int, n0: int):
    return newcombe(wilson(x1, n1), wilson(x0, n0))


def test_one_size_of_the_solu_paper():
    assert both(wilson(21, 60)) == pytest.approx((0.242, 0.476), abs=DIGITS)
    assert both(wilson(36, 60)) == pytest.approx((0.474, 0.714), abs=DIGITS)
    assert hybrid(*ONE_SIZE).estimate == pytest.approx(0.25)
    assert both(hybrid(*ONE_SIZE)) == pytest.approx((0.071, 0.407), abs=DIGITS)
    assert both(miettinen_nurminen(*ONE_SIZE)) == pytest.approx((0.071, 0.413), abs=DIGITS)
    ratio = score_ratio(*ONE_SIZE)
    assert (ratio.estimate, *both(ratio)) == pytest.approx((1.71, 1.16, 2.60), abs=5.1e-3)
    assert score_test(*ONE_SIZE, corrected=False).p == pytest.approx(0.0061, abs=5e-5)


def test_four_sizes_of_the_solu_paper_pooled():
    assert both(miettinen_nurminen(*FOUR_POOLED)) == pytest.approx((0.162, 0.334), abs=DIGITS)
    ratio = score_ratio(*FOUR_POOLED)
    assert (ratio.estimate, *both(ratio)) == pytest.approx((1.71, 1.41, 2.10), abs=5.1e-3)


def test_the_largest_size_of_the_solu_paper():
    assert wilson(25, 60).estimate == pytest.approx(0.417, abs=DIGITS)
    assert both(wilson(25, 60)) == pytest.approx((0.301, 0.543), abs=DIGITS)
    assert both(wilson(20, 60)) == pytest.approx((0.227, 0.459), abs=DIGITS)
    assert hybrid(*LARGEST).estimate == pytest.approx(0.083, abs=DIGITS)
    assert both(hybrid(*LARGEST)) == pytest.approx((-0.088, 0.248), abs=DIGITS)
    assert score_test(*LARGEST, corrected=False).p == pytest.approx(0.35, abs=5e-3)


@pytest.mark.parametrize(
    ("method", "known"),
    [
        (mantel_haenszel_risk_difference, (0.217, 0.139, 0.294)),
        (mantel_haenszel_risk_ratio, (1.625, 1.351, 1.954)),
        (mantel_haenszel_odds_ratio, (2.436, 1.751, 3.388)),
    ],
)
def test_five_sizes_of_the_solu_paper(method, known):
    interval = method(FIVE_SIZES)
    assert (interval.estimate, *both(interval)) == pytest.approx(known, abs=DIGITS)


def test_that_the_benefit_weakens_at_the_largest_size_is_not_established():
    assert breslow_day_tarone(FIVE_SIZES).p == pytest.approx(0.64, abs=5e-3)
    contrast = one_against_the_others(FIVE_SIZES, 4)
    assert contrast.statistic == pytest.approx(-1.69, abs=5e-3)
    assert contrast.p == pytest.approx(0.09, abs=5e-3)
    others = mantel_haenszel_risk_difference(FIVE_SIZES[:4])
    assert others.estimate - hybrid(*LARGEST).estimate == pytest.approx(0.167, abs=DIGITS)


def test_score_limits_over_five_sizes_lie_close_to_satos():
    score, sato = stratified_miettinen_nurminen(FIVE_SIZES), mantel_haenszel_risk_difference(FIVE_SIZES)
    assert both(score) == pytest.approx(both(sato), abs=0.002)


def test_newcombes_pair():
    # Newcombe (1998), table II, methods 10 and 6
    assert both(hybrid(56, 70, 48, 80)) == pytest.approx((0.0524, 0.3339), abs=5.1e-5)
    assert both(miettinen_nurminen(56, 70, 48, 80)) == pytest.approx((0.0528, 0.3382), abs=5.1e-5)


def test_perondis_trial():
    # Perondi et al. (2004) in Fagerland, Lydersen & Laake (2017), chapter 4; R package contingencytables
    table = (7, 34, 1, 34)
    assert both(hybrid(*table)) == pytest.approx((0.0189, 0.3404), abs=5.1e-5)
    assert both(miettinen_nurminen(*table, corrected=False)) == pytest.approx((0.0284, 0.3439), abs=5.1e-5)
    assert both(score_ratio(*table)) == pytest.approx((1.2086, 43.0330), abs=5.1e-5)
    assert both(score_ratio(*table, corrected=False)) == pytest.approx((1.2209, 42.5757), abs=5.1e-5)
    # With arms of one size every table has a twin, and both count half: scipy.stats.fisher_exact 0.05440
    # less the table's probability, scipy.stats.hypergeom.pmf(7, 68, 8, 34) = 0.02474
    assert fisher_midp(*table).p == pytest.approx(0.05440 - 0.02474, abs=1e-5)


def test_the_difference_on_which_another_program_errs():
    # statsmodels 0.15.0 gives [0.2323, 0.5428]; its issue 10269 names the coefficient
    assert both(miettinen_nurminen(36, 60, 12, 60)) == pytest.approx((0.2296, 0.5475), abs=5.1e-5)


def test_looking_at_any_time_costs_about_a_third_of_the_width():
    assert both(wilson(36, 60)) == pytest.approx((0.474, 0.714), abs=DIGITS)
    assert both(confidence_sequence(36, 60)) == pytest.approx((0.400, 0.779), abs=DIGITS)


def test_the_rule_of_three():
    # Hanley & Lippman-Hand (1983), JAMA 249, 1743: after 0 of n a one-sided 95 % limit of about 3/n
    assert clopper_pearson(0, 60, level=0.9).high == pytest.approx(3 / 60, abs=2e-3)
