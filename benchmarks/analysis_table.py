"""Made-up judgments in the shape of `analysis.frames`, any number of them, from a fixed seed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.reports import AnalysisPlan
from annotation.design.analysis import FINITE, PANEL, SUPERPOPULATION

SHARES = {"baseline": 0.35, "solu": 0.60, "ln_only": 0.47}
SIZES = {"1L": 1, "16L": 16, "24L": 24, "40L": 40, "64L": 64}  # layers
TWO_ARMS = tuple((size, arm) for size in SIZES for arm in ("baseline", "solu"))
PAPER = (*TWO_ARMS, ("16L", "ln_only"))  # 660 neurons at 60 each
NEURON_SPREAD, RATER_SPREAD, ARM_SPREAD = 2.0, 0.5, 0.3  # SD on the logit scale
CANNOT, UNANSWERED = 0.03, 0.02
LAYER_WIDTH = 4_096
SEED = 20261121


@dataclass(frozen=True, slots=True)
class Shape:
    """How large the study is; `per_neuron` raters of `raters` judge each neuron."""

    groups: tuple[tuple[str, str], ...]
    neurons: int  # per size and arm
    raters: int
    per_neuron: int


@dataclass(frozen=True, slots=True)
class Tables:
    """As `report_make` takes them."""

    judgments: pd.DataFrame
    neurons: pd.DataFrame
    draws: pd.DataFrame
    raters: pd.DataFrame
    strata: pd.DataFrame
    plan: AnalysisPlan


def tables_made(shape: Shape, *, permutations: int, resamples: int, finite: bool = False) -> Tables:
    """A study with neurons that differ, raters who differ, and raters who differ in how they take the arms."""
    generator = np.random.default_rng(SEED)
    plan = AnalysisPlan(
        study="benchmark",
        title="Made-up judgments",
        rater_kind="simulated",
        question="Is there one rule?",
        groups=shape.groups,
        baseline="baseline",
        protocol_sha256="0" * 64,
        seed=SEED,
        permutations=permutations,
        resamples=resamples,
        asks=PANEL,
        population=FINITE if finite else SUPERPOPULATION,
    )
    neurons = _neurons(shape, generator)
    draws = neurons[["size", "arm", "layer", "neuron"]].assign(accepted=True, reason="", reserve=False)
    draws.insert(0, "number", np.arange(1, len(draws) + 1))
    return Tables(_judgments(shape, plan, neurons, generator), neurons, draws, _raters(shape), _strata(shape), plan)


def _neurons(shape: Shape, generator: np.random.Generator) -> pd.DataFrame:
    parts = []
    for size, arm in shape.groups:
        drawn = generator.choice(SIZES[size] * LAYER_WIDTH, shape.neurons, replace=False)
        layer, neuron = np.divmod(np.sort(drawn), LAYER_WIDTH)
        parts.append(pd.DataFrame({"size": size, "arm": arm, "layer": layer, "neuron": neuron}))
    table = pd.concat(parts, ignore_index=True)
    table["neuron_id"] = (
        table["size"] + "/" + table["arm"] + "/L" + table["layer"].astype(str) + "N" + table["neuron"].astype(str)
    )
    table["item"] = [f"item{number:06d}" for number in range(len(table))]
    return table.assign(corpus="tiny", task="first_glance", assigned=shape.per_neuron)


def _judgments(shape: Shape, plan: AnalysisPlan, neurons: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    neuron, rater = _showings(shape, len(neurons), generator)
    arms = list(dict.fromkeys(arm for _, arm in shape.groups))
    arm = neurons["arm"].map({name: code for code, name in enumerate(arms)}).to_numpy()
    share = np.array([SHARES[name] for name in arms])[arm]
    logit = np.log(share / (1 - share)) + NEURON_SPREAD * generator.standard_normal(len(neurons))
    lenient = RATER_SPREAD * generator.standard_normal(shape.raters)
    by_arm = ARM_SPREAD * generator.standard_normal((shape.raters, len(arms)))
    chance = 1 / (1 + np.exp(-(logit[neuron] + lenient[rater] + by_arm[rater, arm[neuron]])))
    said = generator.random(len(neuron))
    verdict = np.where(generator.random(len(neuron)) < chance, "yes", "no").astype(object)
    verdict[said < CANNOT + UNANSWERED] = "cannot"
    verdict[said < UNANSWERED] = ""
    length = np.bincount(rater, minlength=shape.raters)
    seconds = np.exp(generator.normal(4.0, 0.5, len(neuron)))
    names = np.array([f"rater {number + 1:03d}" for number in range(shape.raters)], dtype=object)
    columns = {name: neurons[name].to_numpy(dtype=object)[neuron] for name in ("size", "arm", "neuron_id", "item")}
    return pd.DataFrame(
        {
            **columns,
            "layer": neurons["layer"].to_numpy()[neuron],
            "rater": names[rater],
            "rater_kind": plan.rater_kind,
            "order": _orders(rater, generator),
            "list_length": length[rater],
            "repeat": False,
            "verdict": verdict,
            "confidence": pd.array(generator.integers(1, 4, len(neuron)), dtype="Int8"),
            "seconds": 1.2 * seconds,
            "active_seconds": seconds,
            "task": "first_glance",
            "responses": np.where(verdict == "", "", "{}"),
            "right_answers": "{}",
            "drawn": "{}",
            "guess_arm": generator.choice(np.array([*arms, "dk", ""], dtype=object), len(neuron)),
        }
    )


def _showings(shape: Shape, neurons: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Which rater sees which neuron: raters go round, beginning anew at a random one for every neuron."""
    begin = generator.integers(0, shape.raters, neurons)
    rater = (begin[:, None] + np.arange(shape.per_neuron)[None, :]) % shape.raters
    return np.repeat(np.arange(neurons), shape.per_neuron), rater.ravel()


def _orders(rater: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A random order of each rater's own list, from 1."""
    sorting = np.lexsort([generator.random(len(rater)), rater])
    places = np.empty(len(rater), dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(np.bincount(rater))])
    places[sorting] = np.arange(len(rater)) - starts[rater[sorting]] + 1
    return places


def _raters(shape: Shape) -> pd.DataFrame:
    names = [f"rater {number + 1:03d}" for number in range(shape.raters)]
    checked = {"rater_kind": "simulated", "catches": 10, "catches_right": 10, "timed": 100, "beyond_times": 0}
    return pd.DataFrame({"rater": names, "seat": range(1, shape.raters + 1), **checked})


def _strata(shape: Shape) -> pd.DataFrame:
    rows = [
        (size, arm, layer, "tiny", LAYER_WIDTH, 0, 10, LAYER_WIDTH - 10, shape.neurons // SIZES[size], 0)
        for size, arm in shape.groups
        for layer in range(SIZES[size])
    ]
    names = ["size", "arm", "layer", "corpus", "neurons", "unrecorded", "dead", "enough", "sampled", "reserved"]
    return pd.DataFrame(rows, columns=names)
