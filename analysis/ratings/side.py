"""Tables beside the ratings: what raters did on catch trials, and how many neurons there are."""

from pathlib import Path

import numpy as np
import pandas as pd

from analysis.ratings.check import Faults, values_read
from analysis.ratings.columns import Column, name_read, text_read, whole_read
from analysis.ratings.mapping import RatingsMapping
from analysis.ratings.problems import Problem, RatingsRefused
from analysis.ratings.shape import shaped
from analysis.ratings.source import source_read
from analysis.reports import Thresholds

COUNTS = ("catches", "catches_right", "timed", "beyond_times")
RATERS = (
    Column("rater", name_read, "as in the ratings", needed=True),
    Column("catches", whole_read(0, 1_000_000), "catch trials answered", needed=True),
    Column("catches_right", whole_read(0, 1_000_000), "of these, right", needed=True),
    Column("timed", whole_read(0, 10_000_000), "answers with a measured time"),
    Column("beyond_times", whole_read(0, 10_000_000), "of these, outside the credible times"),
)
STRATA = (
    Column("size", name_read, "as in the ratings", needed=True),
    Column("arm", name_read, "as in the ratings", needed=True),
    Column("layer", whole_read(0, 100_000), "from 0", needed=True),
    Column("corpus", text_read, "corpus of the texts"),
    Column("enough", whole_read(0, 10**9), "neurons that could be shown", needed=True),
    Column("sampled", whole_read(0, 10**9), "of these, in the study", needed=True),
)


def raters_read(path: Path) -> pd.DataFrame:
    """Catch trials and times of each rater.

    Raises
    ------
    RatingsRefused
        With every fault found.
    """
    table = _read(path, RATERS)
    return table.astype({name: "int64" for name in COUNTS if name in table})


def strata_read(path: Path) -> pd.DataFrame:
    """How many neurons each layer of each arm has."""
    return _read(path, STRATA).astype({"layer": "int64", "enough": "Int64", "sampled": "int64"})


def counts_checked(file: str, strata: pd.DataFrame, judgments: pd.DataFrame) -> pd.DataFrame:
    """The counts, if nowhere more neurons were judged than there are.

    Raises
    ------
    RatingsRefused
        Naming each size and arm, and each layer, where there are.
    """
    place = ["size", "arm"]
    neurons = judgments.drop_duplicates([*place, "layer", "neuron_id"]).astype({"layer": "float64"})
    layers = strata.groupby([*place, "layer"])["enough"].min()
    faults = []
    for columns, there in ((place, layers.groupby(place).sum(min_count=1)), ([*place, "layer"], layers)):
        judged = neurons.groupby(columns).size()
        for key, count in there.dropna().items():
            if judged.get(key, 0) > count:
                where = ", ".join(f"{name} {part}" for name, part in zip(columns, key, strict=True))
                faults.append(Problem(f"{where}: {judged[key]} judged neurons, of only {count} that are there."))
    if faults:
        raise RatingsRefused(file, faults)
    return strata


def rater_table(judgments: pd.DataFrame, thresholds: Thresholds, known: pd.DataFrame | None) -> pd.DataFrame:
    """One row for each rater, in the shape of `analysis.frames`; counts that are not known are made or 0."""
    seconds = judgments["active_seconds"]
    beyond = (seconds < thresholds.least_seconds) | (seconds > thresholds.most_seconds)
    made = (
        judgments.assign(timed=seconds.notna(), beyond_times=beyond, catches=0, catches_right=0)
        .groupby("rater", sort=True)
        .agg({"rater_kind": "first", **dict.fromkeys(COUNTS, "sum")})
    )
    if known is not None:
        made.update(known.drop_duplicates("rater").set_index("rater"))
    table = made.reset_index()
    table.insert(2, "seat", np.arange(1, len(table) + 1))
    table.insert(3, "declared", "")
    return table.astype(dict.fromkeys(COUNTS, "int64"))


def _read(path: Path, known: tuple[Column, ...]) -> pd.DataFrame:
    source = source_read(path)
    long = shaped(source, RatingsMapping(), known)
    faults = Faults(source, long)
    values = values_read(long, known, faults)
    faults.refuse()
    return pd.DataFrame(values).convert_dtypes()
