"""How well the arms of a design could be told under each display, before there is a study. Nothing is stored."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from annotation.design import StudyDesign
from annotation.design.quality import QualityDesign
from annotation.leaks import LeakNumbers
from annotation.models import Study
from annotation.protocols.display import MATCHED, PEAK, PROPORTIONAL, RANK, detail_kept
from annotation.protocols.task import CannotCompose
from annotation.services.draw import DrawnItem, StudyDraw, study_draw
from annotation.services.harvests import Stratum, strata_open
from annotation.services.leaks import leaks_at_freeze
from annotation.services.material import material_open
from annotation.services.showing import Showing

TOKENS = {"even_characters": 0, "context_before": 48, "context_after": 16}
EVEN = {"even_characters": 136, "context_before": 64, "context_after": 32}  # about what 30 + 10 tokens show
DETAIL_NEURONS = 100  # of each arm, for the share of the activations that marks tell


@dataclass(frozen=True, slots=True)
class Display:
    """One way to show items: fields of a design that replace its own."""

    label: str
    changes: dict[str, str | int]


DISPLAYS = (
    Display("proportional, 5 bands", {"display": PROPORTIONAL, "bands": 5, **TOKENS}),
    Display("rank", {"display": RANK, **TOKENS}),
    Display("peak, 3 marks", {"display": PEAK, "marked_per_snippet": 3, **TOKENS}),
    Display("matched", {"display": MATCHED, **TOKENS}),
    Display("peak alone", {"display": PEAK, "marked_per_snippet": 1, **TOKENS}),
    Display("rank, even lengths", {"display": RANK, **EVEN}),
    Display("peak, 3 marks, even lengths", {"display": PEAK, "marked_per_snippet": 3, **EVEN}),
    Display("matched, even lengths", {"display": MATCHED, **EVEN}),
    Display("peak alone, even lengths", {"display": PEAK, "marked_per_snippet": 1, **EVEN}),
)


@dataclass(frozen=True, slots=True)
class DisplayTrial:
    """What one display gives away, and what it still shows.

    `detail` is the mean share of the variance of a neuron's activations that its marks tell, by arm.
    """

    display: Display
    numbers: LeakNumbers
    detail: dict[str, float]
    seconds: float


def display_trial(design: StudyDesign, display: Display, *, neurons: int, salt: str = "trial") -> DisplayTrial:
    """Draw the design's arms under a display, `neurons` of each size and arm, and audit the pages."""
    changes: dict[str, Any] = {"neurons_per_arm": neurons, "raters": 1, "raters_per_neuron": 1}
    tried = replace(design, quality=QualityDesign(), **changes, **dict[str, Any](display.changes))
    strata = strata_open(tried)
    draw = study_draw(tried, strata, salt)
    measured = leaks_at_freeze(Study(slug=tried.slug, title=tried.title), tried, draw, shuffles=0)
    return DisplayTrial(display, measured.numbers, _detail(tried, draw), measured.seconds)


def _detail(design: StudyDesign, draw: StudyDraw) -> dict[str, float]:
    arms = sorted({item.stratum.arm.name for item in draw.items})
    return {arm: _mean_detail(design, [item for item in draw.items if item.stratum.arm.name == arm]) for arm in arms}


def _mean_detail(design: StudyDesign, items: Sequence[DrawnItem]) -> float:
    kept = [_kept(design, item.stratum, item.layer, item.neuron) for item in items[:DETAIL_NEURONS]]
    return float(np.nanmean(kept))


def _kept(design: StudyDesign, stratum: Stratum, layer: int, neuron: int) -> float:
    showing = Showing(design, material_open(design, stratum, layer, neuron, np.random.default_rng(0)))
    try:
        snippets = showing.top(design.snippets_per_neuron)
    except CannotCompose:
        return float("nan")
    return detail_kept([snippet.pieces for snippet in snippets], [showing.mark(snippet) for snippet in snippets])
