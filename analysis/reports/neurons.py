"""Every neuron with what its raters said: the table that a reader browses, and that an export holds."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.reports.scores import of_main_task

NEURON_COLUMNS = [
    "size", "arm", "layer", "neuron", "neuron_id", "yes", "no", "cannot", "unanswered", "judged", "share", "majority",
    "verdicts", "rules",
]  # fmt: skip
MACHINE = "machine"
PLACE = ["size", "arm", "neuron_id"]
NUMBER = r"N(\d+)$"  # how `analysis.frames` ends the name of a neuron


def neuron_table(judgments: pd.DataFrame) -> pd.DataFrame:
    """One row per neuron: answers counted, and whose they are. Nothing is excluded here.

    Parameters
    ----------
    judgments : DataFrame
        As `analysis.frames` makes it. Only first showings of the task that asks for a verdict are counted, and answers
        of declared machines only where nobody else answered.

    Returns
    -------
    DataFrame
        `NEURON_COLUMNS`, sorted by size, arm, layer, number and name. `neuron` is missing where the name does not end
        in a number; `share` of yes among yes and no is missing without either; `majority` is "yes", "no", "tie" or "".
        `verdicts` and `rules` are lists of (rater, text), sorted by rater; over several corpora a rater may stand
        there more than once.
    """
    table = _counted_rows(judgments)
    codes, first = _neurons(table)
    counts = _verdict_counts(table, codes, len(first))
    made = table.iloc[first][["size", "arm", "layer", "neuron_id"]].reset_index(drop=True)
    made["neuron"] = pd.to_numeric(made["neuron_id"].astype(str).str.extract(NUMBER)[0]).astype("Int64")
    made = made.assign(**counts, judged=counts["yes"] + counts["no"])
    made["share"] = made["yes"] / made["judged"].where(made["judged"] > 0)
    made["majority"] = _majorities(made["yes"].to_numpy(), made["no"].to_numpy())
    made["verdicts"], made["rules"] = (_listed(table, codes, len(first), name) for name in ("verdict", "rule"))
    return made.sort_values(["size", "arm", "layer", "neuron", "neuron_id"], ignore_index=True)[NEURON_COLUMNS]


def _counted_rows(judgments: pd.DataFrame) -> pd.DataFrame:
    first = judgments[~judgments["repeat"].astype(bool)]
    machine = first["rater_kind"] == MACHINE
    return of_main_task(first if machine.all() else first[~machine])


def _neurons(table: pd.DataFrame) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Code of each row's neuron, and the first row of each neuron."""
    codes = table.groupby(PLACE, sort=True, observed=True).ngroup().to_numpy()
    return codes, np.unique(codes, return_index=True)[1]


def _verdict_counts(
    table: pd.DataFrame, codes: npt.NDArray[np.int64], neurons: int
) -> dict[str, npt.NDArray[np.int64]]:
    rows = {verdict: (table["verdict"] == verdict).to_numpy(dtype=bool) for verdict in ("yes", "no", "cannot")}
    rows["unanswered"] = (table["responses"] == "").to_numpy(dtype=bool)
    return {name: np.bincount(codes[here], minlength=neurons) for name, here in rows.items()}


def _majorities(yes: npt.NDArray[np.int64], no: npt.NDArray[np.int64]) -> npt.NDArray[np.object_]:
    return np.select([yes + no == 0, yes > no, yes < no], ["", "yes", "no"], default="tie").astype(object)


def _listed(
    table: pd.DataFrame, codes: npt.NDArray[np.int64], neurons: int, column: str
) -> list[list[tuple[str, str]]]:
    """For each neuron what its raters said there, empty texts left out."""
    told = table[["rater", column]].assign(neuron=codes)
    told = told[told[column].fillna("") != ""].sort_values(["neuron", "rater", column], kind="stable")
    lists: list[list[tuple[str, str]]] = [[] for _ in range(neurons)]
    for rater, text, code in told.itertuples(index=False, name=None):
        lists[code].append((str(rater), str(text)))
    return lists
