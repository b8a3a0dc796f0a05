"""Synthetic long tables in the shape of `analysis.frames`, without a database."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.reports import AnalysisPlan

SHARES = {"baseline": 0.35, "solu": 0.60, "ln_only": 0.47}


@dataclass
class Tables:
    judgments: pd.DataFrame
    neurons: pd.DataFrame
    draws: pd.DataFrame
    raters: pd.DataFrame
    plan: AnalysisPlan


def make_plan(**changes) -> AnalysisPlan:
    values = {
        "study": "synthetic",
        "title": "A synthetic study",
        "rater_kind": "simulated",
        "question": "Does one rule explain at least 80 % of the strongest firings?",
        "groups": (("1L-256", "baseline"), ("1L-256", "solu"), ("1L-256", "ln_only")),
        "baseline": "baseline",
        "protocol_sha256": "0" * 64,
        "seed": 20261121,
        "resamples": 200,
        "bayesian_answers": 0,
        **changes,
    }
    return AnalysisPlan(**values)


def make_tables(
    *,
    plan: AnalysisPlan | None = None,
    neurons_per_arm: int = 60,
    raters: int = 3,
    shares: dict[str, float] = SHARES,
    neuron_spread: float = 2.0,
    cannot: float = 0.03,
    not_shown: float = 0.0,
    seed: int = 1,
) -> Tables:
    """A study with neurons that differ (logit scale spread) and raters who answer independently given the neuron."""
    plan = plan or make_plan()
    generator = np.random.default_rng(seed)
    neurons = _neurons(plan, neurons_per_arm, raters, generator)
    base = neurons["arm"].map(shares).to_numpy()
    tendency = np.log(base / (1 - base)) + neuron_spread * generator.standard_normal(len(neurons))
    parts = [
        _one_rater(neurons, tendency, f"rater {number + 1}", plan, cannot, not_shown, generator)
        for number in range(raters)
    ]
    draws = neurons[["size", "arm", "layer", "neuron"]].assign(accepted=True, reason="", reserve=False)
    rejected = draws.iloc[:5].assign(accepted=False, reason="dead: never above 0 on the harvested text", neuron=1000)
    draws = pd.concat([draws, rejected], ignore_index=True)
    draws.insert(0, "number", np.arange(1, len(draws) + 1))
    names = [f"rater {number + 1}" for number in range(raters)]
    checked = {"rater_kind": plan.rater_kind, "catches": 10, "catches_right": 10, "timed": 100, "beyond_times": 0}
    seats = pd.DataFrame({"rater": names, "seat": range(1, raters + 1), **checked})
    return Tables(pd.concat(parts, ignore_index=True), neurons, draws, seats, plan)


def _neurons(plan: AnalysisPlan, per_arm: int, raters: int, generator: np.random.Generator) -> pd.DataFrame:
    rows = [
        (size, arm, 0, int(neuron))
        for size, arm in plan.groups
        for neuron in sorted(generator.choice(1024, per_arm, replace=False))
    ]
    table = pd.DataFrame(rows, columns=["size", "arm", "layer", "neuron"])
    table.insert(0, "item", [f"item{number:04d}" for number in generator.permutation(len(table))])
    table["neuron_id"] = table["size"] + "/" + table["arm"] + "/L0N" + table["neuron"].astype(str)
    return table.assign(corpus="tiny", task="first_glance", assigned=raters)


def _one_rater(neurons, tendency, rater, plan, cannot, not_shown, generator) -> pd.DataFrame:
    count = len(neurons)
    yes = generator.random(count) < 1 / (1 + np.exp(-tendency))
    verdict = np.where(generator.random(count) < cannot, "cannot", np.where(yes, "yes", "no")).astype(object)
    seconds = np.exp(generator.normal(4.0, 0.5, count))
    table = pd.DataFrame(
        {
            "study": plan.study,
            "size": neurons["size"].to_numpy(),
            "arm": neurons["arm"].to_numpy(),
            "layer": neurons["layer"].to_numpy(),
            "neuron_id": neurons["neuron_id"].to_numpy(),
            "corpus": "tiny",
            "rater": rater,
            "rater_kind": plan.rater_kind,
            "seat": int(rater.split()[-1]),
            "order": generator.permutation(count) + 1,
            "list_length": count,
            "repeat": False,
            "judgment": pd.array([{"yes": 1, "no": 0}.get(answer) for answer in verdict], dtype="Int8"),
            "verdict": verdict,
            "confidence": pd.array(generator.integers(1, 4, count), dtype="Int8"),
            "rule": np.where(verdict == "yes", "=months of the year", ""),
            "seconds": seconds * 1.2,
            "active_seconds": seconds,
            "shown_at": pd.Timestamp("2026-11-21T10:00:00Z"),
            "submitted_at": pd.Timestamp("2026-11-21T10:01:00Z"),
            "item": neurons["item"].to_numpy(),
            "task": "first_glance",
            "responses": "{}",
            "right_answers": "{}",
            "drawn": "{}",
            "rule_writer": "",
            "guess_arm": generator.choice([*plan.arms, "dk", ""], count),
        }
    )
    return table[generator.random(count) >= not_shown].reset_index(drop=True)
