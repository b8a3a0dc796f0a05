"""The main numbers of a study once more, from nothing but its exported tables: the core of the script in every export.

Written apart from `analysis.reports`, with pandas and in the plainest way, so that the two check each other. Intervals
for new raters need more than a page; for these the script carries the modules of `analysis.stats` that make them.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from scipy import stats

from analysis.stats.mrmc import mrmc_difference, mrmc_fraction

Plan = dict[str, Any]
Mean = dict[
    str, Any
]  # p, its variance v, neurons n, answers, whether each has one answer, share of a finite population
Limits = tuple[float, float, float]  # estimate, low, high
Counts = dict[tuple[str, str], dict[int, int]]  # neurons by size and arm, and layer

TOLERANCE = 1e-9
LEAST_OF_A_LAYER = 2  # judged neurons that tell how much neurons of a layer differ
KINDS = {"mean": ("fraction", "difference"), "majority": ("majority_fraction", "majority_difference")}


def counted(judgments: pd.DataFrame, raters: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """First showings with a yes or a no, by raters of the plan's kind, without what the plan excludes."""
    limits = plan["exclusions"]
    most = math.inf if limits["most_seconds"] is None else limits["most_seconds"]
    rows = judgments[~judgments["repeat"] & (judgments["rater_kind"] == plan["rater_kind"])]
    rows = rows[rows["judgment"].notna()]
    catches = raters["catches_right"] / raters["catches"].where(raters["catches"] > 0)
    beyond = raters["beyond_times"] / raters["timed"].where(raters["timed"] > 0)
    out = (catches < limits["least_catches_right"] - 1e-9) | (beyond > limits["most_beyond_times"] + 1e-9)
    rows = rows[~rows["rater"].isin(raters.loc[out, "rater"])]
    if limits["exclude_beyond_times"]:
        rows = rows[~((rows["active_seconds"] < limits["least_seconds"]) | (rows["active_seconds"] > most))]
    return rows


def neuron_scores(rows: pd.DataFrame, vote: str) -> pd.DataFrame:
    """One row per neuron: its layer, the share of its raters who said yes (or the majority's vote), and its answers."""
    grouped = rows.groupby(["size", "arm", "neuron_id"])
    found = grouped.agg(score=("judgment", "mean"), answers=("judgment", "size"), layer=("layer", "first"))
    if vote == "majority":
        found = found[found["score"] != 0.5]
        found = found.assign(score=(found["score"] > 0.5).astype(float), answers=1)
    return found.reset_index()


def mean_of(neurons: pd.DataFrame) -> Mean:
    """Mean over neurons and its variance; with one answer for each neuron the binomial p(1 - p)/n."""
    n, answers = len(neurons), int(neurons["answers"].sum())
    if n == 0:
        return {"p": math.nan, "v": math.nan, "n": 0, "answers": 0, "single": True, "sampled": 0.0}
    p, single = float(neurons["score"].mean()), bool((neurons["answers"] == 1).all())
    v = p * (1 - p) / n if single else float(neurons["score"].var(ddof=1)) / n
    return {"p": p, "v": v, "n": n, "answers": answers, "single": single, "sampled": 0.0}


def corrected(mean: Mean, population: int) -> Mean:
    """Finite population correction: the variance times 1 - n/N."""
    if mean["n"] == 0:
        return mean
    sampled = mean["n"] / population
    return {**mean, "v": mean["v"] * (1 - sampled), "sampled": sampled}


def layered(means: list[Mean], counts: list[int]) -> Mean:
    """Layers drawn by themselves: weights N_h/N, the correction in each."""
    parts, total = [], sum(counts)
    means = [corrected(mean, count) for mean, count in zip(means, counts, strict=True)]
    for mean, count in zip(means, counts, strict=True):
        v = mean["v"] * mean["n"] / (mean["n"] - 1) if mean["single"] and mean["n"] > 1 else mean["v"]
        parts.append((count / total) ** 2 * (0.0 if mean["sampled"] == 1 else v))
    n = sum(mean["n"] for mean in means)
    return {
        "p": sum(count / total * mean["p"] for mean, count in zip(means, counts, strict=True)),
        "v": sum(parts),
        "n": n,
        "answers": sum(mean["answers"] for mean in means),
        "single": False,
        "sampled": n / total,
    }


def place_mean(neurons: pd.DataFrame, layers: dict[int, int], by_layer: bool) -> Mean:
    """Mean of one size and arm; `layers` are the counted neurons of each layer, empty for neurons without end."""
    if not layers:
        return mean_of(neurons)
    if by_layer and len(layers) > 1:
        parts = [mean_of(neurons[neurons["layer"] == layer]) for layer in layers]
        if all(part["n"] >= LEAST_OF_A_LAYER for part in parts):
            return layered(parts, list(layers.values()))
    return corrected(mean_of(neurons), sum(layers.values()))


def pooled(means: list[Mean]) -> Mean:
    """Several sizes with equal weights."""
    means = [mean for mean in means if mean["n"]]
    if not means:
        return mean_of(pd.DataFrame({"score": [], "answers": []}))
    every = all(mean["sampled"] for mean in means)
    return {
        "p": sum(mean["p"] for mean in means) / len(means),
        "v": sum(mean["v"] for mean in means) / len(means) ** 2,
        "n": sum(mean["n"] for mean in means),
        "answers": sum(mean["answers"] for mean in means),
        "single": all(mean["single"] for mean in means),
        "sampled": sum(mean["n"] for mean in means) / sum(mean["n"] / mean["sampled"] for mean in means)
        if every
        else 0.0,
    }


def effective_size(mean: Mean) -> float:
    """n over the design effect V n / p(1 - p); few neurons find that too small, so it is drawn towards 1."""
    p, n, answers, left = mean["p"], mean["n"], mean["answers"], 1 - mean["sampled"]
    if math.isnan(mean["v"]):
        return 1.0
    spread, effect = p * (1 - p), 1.0
    if mean["v"] >= 1e-15:
        weight, added = 2 * n * math.sqrt(spread), 1 - n / answers
        effect = (weight * mean["v"] / left * n / spread + added) / (weight + added)
    return float(min(max(n / effect / left, 1.0), answers / left))


def cluster_wilson(mean: Mean, level: float) -> Limits:
    """Wilson's interval (1927) on the number of independent answers that the judgments are worth."""
    if mean["n"] == 0:
        return math.nan, math.nan, math.nan
    p, z = mean["p"], stats.norm.ppf((1 + level) / 2)
    if mean["sampled"] == 1:
        return p, p, p
    size = effective_size(mean)
    shrink = z * z / size
    centre = (p + shrink / 2) / (1 + shrink)
    half = z / (1 + shrink) * math.sqrt(p * (1 - p) / size + shrink / (4 * size))
    low, high = max(0.0, min(centre - half, p)), min(1.0, max(centre + half, p))
    return p, 0.0 if p <= 0 else low, 1.0 if p >= 1 else high


def cluster_newcombe(first: Limits, second: Limits) -> Limits:
    """Newcombe's hybrid score interval (1998, method 10) from two of these."""
    (p1, l1, u1), (p0, l0, u0) = first, second
    d = p1 - p0
    if math.isnan(d):
        return math.nan, math.nan, math.nan
    return d, max(-1.0, d - math.hypot(p1 - l1, u0 - p0)), min(1.0, d + math.hypot(u1 - p1, p0 - l0))


def populations(folder: Path, plan: Plan) -> Counts:
    """Counted neurons by size, arm and layer, if the plan asks about finite layers and all of a place are counted."""
    path = folder / "strata.csv"
    if plan["analysis"]["population"] != "finite" or not path.exists():
        return {}
    strata = pd.read_csv(path, dtype={"size": str, "arm": str})
    found = {}
    for (size, arm), here in strata.groupby(["size", "arm"]):
        layers = here.groupby("layer").agg(neurons=("enough", "min"), drawn=("sampled", "max"))
        if here["enough"].notna().all() and (layers["neurons"] >= layers["drawn"]).all():
            found[size, arm] = layers["neurons"].astype(int).to_dict()
    return found


def headline(judgments: pd.DataFrame, raters: pd.DataFrame, plan: Plan, counts: Counts) -> dict[str, Limits]:
    """Every main number by the id that it has in report.json: (estimate, low, high)."""
    rows = counted(judgments, raters, plan)
    found = panel(rows, plan, counts)
    return {**found, **generalising(rows, plan, counts)} if plan["analysis"]["question"] == "generalising" else found


def generalising(rows: pd.DataFrame, plan: Plan, counts: Counts) -> dict[str, Limits]:
    """The same for new raters: analysis of variance of several raters and neurons."""
    asked, arms, baseline = plan["analysis"], plan["arms"], plan["analysis"]["baseline"]
    sizes = list(dict.fromkeys(size for size, _ in plan["groups"]))
    found = {}
    for size in [*sizes, *([""] if len(sizes) > 1 else [])]:
        here = [arm for arm in arms if not size or (size, arm) in plan["groups"]]
        for arm in here:
            arrays = _arrays(rows, plan, counts, size, [arm])
            arrays.pop("arm")
            made = mrmc_fraction(**arrays, level=asked["level"])
            found[f"generalising_fraction/{size or 'all'}/{arm}/all/all"] = (made.estimate, made.low, made.high)
        for arm in here:
            if arm != baseline:
                arrays = _arrays(rows, plan, counts, size, [arm, baseline])
                made = mrmc_difference(**arrays, treatment=1, baseline=0, level=asked["level"])
                name = f"generalising_difference/{size or 'all'}/{arm}/{baseline}/all"
                found[name] = (made.estimate, made.low, made.high)
    return found


def _arrays(rows: pd.DataFrame, plan: Plan, counts: Counts, size: str, chosen: list[str]) -> dict[str, Any]:
    """Answers about some arms as codes, and facts of each neuron; the first arm has the code 1, the other 0."""
    kept = rows[rows["arm"].isin(chosen) & (rows["size"].eq(size) if size else True)]
    neuron, _ = pd.factorize(pd.MultiIndex.from_frame(kept[["size", "arm", "neuron_id"]]))
    first = kept.groupby(neuron).first()
    totals = {place: float(sum(layers.values())) for place, layers in counts.items()}
    places = list(zip(first["size"], first["arm"], strict=True))
    return {
        "said": kept["judgment"].to_numpy(float),
        "neuron": neuron,
        "rater": pd.factorize(kept["rater"], sort=True)[0],
        "arm": (first["arm"] == chosen[0]).to_numpy(int),
        "size": pd.factorize(first["size"])[0],
        "population": [totals.get(place, math.inf) for place in places],
    }


def panel(rows: pd.DataFrame, plan: Plan, counts: Counts) -> dict[str, Limits]:
    """Fractions and differences for these raters."""
    asked, arms, baseline = plan["analysis"], plan["arms"], plan["analysis"]["baseline"]
    fraction, difference = KINDS[asked["vote"]]
    neurons = neuron_scores(rows, asked["vote"])
    by_layer = plan["layers"] != "pooled"
    means = {
        (size, arm): place_mean(
            neurons[(neurons["size"] == size) & (neurons["arm"] == arm)], counts.get((size, arm), {}), by_layer
        )
        for size, arm in plan["groups"]
    }
    sizes = list(dict.fromkeys(size for size, _ in plan["groups"]))
    found = {}

    def of(size: str, arm: str, *arms: str) -> Mean:
        """Mean of one size; of all sizes in which these arms were judged."""
        if size:
            return means[size, arm]
        both = [name for name in sizes if all((name, one) in means and means[name, one]["n"] for one in (arm, *arms))]
        return pooled([means[name, arm] for name in both])

    for size in [*sizes, *([""] if len(sizes) > 1 else [])]:
        here = [arm for arm in arms if not size or (size, arm) in means]
        for arm in here:
            found[f"{fraction}/{size or 'all'}/{arm}/all/all"] = cluster_wilson(of(size, arm), asked["level"])
        for arm in here:
            if arm != baseline and (not size or (size, baseline) in means):
                pair = [cluster_wilson(of(size, side, arm, baseline), asked["level"]) for side in (arm, baseline)]
                found[f"{difference}/{size or 'all'}/{arm}/{baseline}/all"] = cluster_newcombe(*pair)
    return found


def same(mine: float, theirs: float | None) -> bool:
    """Whether two numbers are equal to rounding; an undefined one is null in report.json."""
    if theirs is None or math.isnan(mine):
        return theirs is None and math.isnan(mine)
    return abs(mine - theirs) < TOLERANCE


def read(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, Plan, dict[str, dict[str, Any]]]:
    """Judgments, raters, plan and report of an export."""
    texts = {"size": str, "arm": str, "neuron_id": str, "rater": str, "rater_kind": str}
    judgments = pd.read_csv(folder / "judgments.csv", dtype=texts, keep_default_na=False, na_values=[""])
    raters = pd.read_csv(folder / "raters.csv", dtype=texts, keep_default_na=False, na_values=[""])
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    plan["groups"] = [tuple(group) for group in plan["groups"]]
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return judgments, raters, plan, {number["id"]: number for number in report["numbers"]}


def main(folder: Path) -> int:
    """Compare, and print a line for each number."""
    try:
        judgments, raters, plan, numbers = read(folder)
    except (OSError, ValueError, KeyError) as error:
        print(f"Cannot read the export in {folder}: {error}")
        return 2
    found = headline(judgments, raters, plan, populations(folder, plan))
    wrong = 0
    for name, mine in found.items():
        theirs = numbers.get(name, {})
        fits = bool(theirs) and all(same(*pair) for pair in zip(mine, (theirs[key] for key in LIMITS), strict=True))
        wrong += not fits
        told = " ".join(f"{value:.6f}" for value in mine)
        print(f"{'match   ' if fits else 'MISMATCH'} {name}  {told}" + ("" if fits else f"  report.json: {theirs}"))
    print(f"{len(found) - wrong} of {len(found)} numbers match report.json.")
    return 1 if wrong or not found else 0


LIMITS = ("estimate", "low", "high")

if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent))
