"""Anyone's ratings as the tables that a report is made from."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.ratings.check import Faults, values_read
from analysis.ratings.columns import columns_of
from analysis.ratings.mapping import RatingsMapping
from analysis.ratings.plan import SIZE, RatingsPlan
from analysis.ratings.problems import MOST_SHOWN, Problem, RatingsRefused, quoted
from analysis.ratings.shape import Long, shaped
from analysis.ratings.side import counts_checked, rater_table, raters_read, strata_read
from analysis.ratings.source import Source, source_read
from analysis.reports import AnalysisPlan, Report, report_make
from analysis.reports.document import PlanImpossible
from annotation.design.analysis import FINITE
from annotation.protocols import TASKS, first_glance
from annotation.protocols.task import CANNOT, NO, YES

Values = dict[str, npt.NDArray[Any]]
WORDS = {1: YES, 0: NO, None: CANNOT}
# As `analysis.frames` has them.
JUDGMENT_COLUMNS = [
    "study", "size", "arm", "layer", "neuron_id", "corpus", "rater", "rater_kind", "seat", "order", "list_length",
    "repeat", "judgment", "verdict", "confidence", "rule", "seconds", "active_seconds", "shown_at", "submitted_at",
    "item", "guess_arm", "guess_certainty", "guess_reason", "task", "responses", "right_answers", "drawn", "score",
    "rule_writer", "rule_given",
]  # fmt: skip
TEXTS = ("corpus", "rule", "guess_arm", "guess_reason", "rule_writer", "rule_given")
NEURON_KEY = ["size", "arm", "layer", "neuron_id", "corpus", "item", "task"]


@dataclass(frozen=True, slots=True)
class RatingsTables:
    """The tables of `analysis.frames`, made from files.

    Attributes
    ----------
    judgments, neurons, draws, raters : DataFrame
    strata : DataFrame or None
    plan : AnalysisPlan
    sha256 : str
        Of all files that were read.
    notes : tuple of str
        What was passed over or understood in a certain way, in sentences.
    """

    judgments: pd.DataFrame
    neurons: pd.DataFrame
    draws: pd.DataFrame
    raters: pd.DataFrame
    strata: pd.DataFrame | None
    plan: AnalysisPlan
    sha256: str
    notes: tuple[str, ...]


def ratings_tables(
    file: Path,
    plan: RatingsPlan,
    mapping: RatingsMapping | None = None,
    *,
    raters: Path | None = None,
    strata: Path | None = None,
) -> RatingsTables:
    """Read and check ratings.

    Parameters
    ----------
    file : Path
        CSV or Parquet; see docs/ratings.md.
    raters : Path, optional
        Catch trials and times of each rater, as `raters.csv` of an export.
    strata : Path, optional
        How many neurons each layer has, as `strata.csv` of an export.

    Raises
    ------
    RatingsRefused
        With every fault found: by line and column, what was received and what is allowed.
    """
    mapping = mapping or RatingsMapping()
    known = columns_of(plan.arms)
    source = source_read(file, mapping.file)
    long = shaped(source, mapping, known)
    faults = Faults(source, long)
    values = values_read(long, known, faults)
    if len(long.rows) == 0:
        raise RatingsRefused(source.name, [Problem("There is no judgment below the heading.")])
    faults.refuse()
    table = _with_sizes(_frame(values, plan), "size" in values, plan, source)
    table, renamed = _neurons_named(table)
    _joint_checks(table, faults)
    faults.refuse()
    given = table.assign(item=table["item"].where(table["item"] != "", _item_names(table)))
    judgments = given[JUDGMENT_COLUMNS]
    asked = _asked(plan, _places(judgments), source)
    return RatingsTables(
        judgments=judgments,
        neurons=(neurons := _neurons(judgments)),
        draws=_draws(neurons),
        raters=rater_table(judgments, asked.thresholds, None if raters is None else raters_read(raters)),
        strata=None if strata is None else counts_checked(strata.name, strata_read(strata), judgments),
        plan=asked,
        sha256=_sha256([file, *(path for path in (raters, strata) if path)], repr(mapping)),
        notes=tuple(_notes(source, long, judgments, asked, renamed, strata is not None)),
    )


def ratings_report(tables: RatingsTables) -> Report:
    """The report of ratings that were made elsewhere: the same analysis as a study's."""
    return report_make(
        tables.judgments, tables.neurons, tables.draws, tables.raters, tables.plan, tables.strata,
        input_sha256=tables.sha256,
    )  # fmt: skip


def _asked(plan: RatingsPlan, places: tuple[tuple[str, str], ...], source: Source) -> AnalysisPlan:
    try:
        return plan.analysis_plan(places)
    except PlanImpossible as error:
        raise RatingsRefused(source.name, [Problem(str(error))]) from None


def _frame(values: Values, plan: RatingsPlan) -> pd.DataFrame:
    """All columns, with what stands where the file has none."""
    rows = len(values["judgment"])
    found = pd.DataFrame(index=pd.RangeIndex(rows))
    for name in ("arm", "neuron_id", "rater"):
        found[name] = _texts(values[name])
    for name in ("study", "size", "item", *TEXTS):
        found[name] = _texts(values[name]) if name in values else ""
    found["study"] = found["study"].where(found["study"] != "", plan.study)
    found["rater_kind"] = _texts(values["rater_kind"]) if "rater_kind" in values else plan.rater_kind
    found["task"] = _texts(values["task"]) if "task" in values else first_glance.NAME
    found["repeat"] = values["repeat"].astype(bool) if "repeat" in values else False
    found["seat"] = pd.factorize(found["rater"], sort=True)[0] + 1
    for name in ("layer", "order", "list_length"):
        found[name] = pd.array(values[name] if name in values else [None] * rows, dtype="Int64")
    for name in ("judgment", "confidence", "guess_certainty"):
        found[name] = pd.array(values[name] if name in values else [None] * rows, dtype="Int8")
    found["score"] = pd.array(values["score"] if "score" in values else [None] * rows, dtype="Float64")
    for name in ("shown_at", "submitted_at"):
        found[name] = pd.Series(pd.NaT, index=found.index, dtype="datetime64[us, UTC]")
    return _with_lengths(_with_answers(_with_times(found, values), values))


def _texts(values: npt.NDArray[Any]) -> pd.Series:
    return pd.Series(values, dtype="str")


def _with_times(table: pd.DataFrame, values: Values) -> pd.DataFrame:
    """A time of zero was not measured. Without times that leave breaks out, the others stand for them."""
    rows = len(table)
    for name in ("seconds", "active_seconds"):
        measured = values[name].astype(float) if name in values else np.full(rows, np.nan)
        table[name] = np.where(measured > 0, measured, np.nan)
    if "active_seconds" not in values:
        table["active_seconds"] = table["seconds"]
    return table


def _with_answers(table: pd.DataFrame, values: Values) -> pd.DataFrame:
    """Verdict and responses; without a column of verdicts an empty judgment is one that the rater skipped."""
    if "verdict" in values:
        table["verdict"] = _texts(values["verdict"])
    else:
        asks = table["task"].map(lambda task: TASKS[task].asks_verdict).astype(bool)
        said = _texts(np.array([WORDS[judgment] for judgment in values["judgment"]], dtype=object))
        table["verdict"] = said.where(asks | (said != CANNOT), "")
    answered = np.where(table["verdict"] != "", "{}", "")
    for name in ("right_answers", "drawn"):
        table[name] = _texts(values[name]).replace("", "{}") if name in values else "{}"
    given = _texts(values["responses"]) if "responses" in values else _texts(answered.astype(object))
    table["responses"] = given.where(given != "", _texts(answered.astype(object)))
    return table


def _with_lengths(table: pd.DataFrame) -> pd.DataFrame:
    """The length of a rater's list, if it is not given, is the last place on it that is known."""
    last = table.groupby("rater")["order"].transform("max")
    table["list_length"] = table["list_length"].fillna(last)
    return table


def _with_sizes(table: pd.DataFrame, given: bool, plan: RatingsPlan, source: Source) -> pd.DataFrame:
    if given:
        return table
    if len(plan.sizes) > 1:
        said = f"The plan has the sizes {', '.join(plan.sizes)}, so that each row must say its own."
        raise RatingsRefused(source.name, [Problem(said, None, "size")])
    return table.assign(size=plan.sizes[0] if plan.sizes else SIZE)


def _neurons_named(table: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Names that stand for one neuron each: a number that several arms or layers use gets these in front."""
    places = table[["size", "arm", "layer", "neuron_id"]].drop_duplicates()
    shared = places["neuron_id"][places["neuron_id"].duplicated()].unique()
    if not len(shared):
        return table, 0
    layer = ("L" + table["layer"].astype("str")).where(table["layer"].notna(), "")
    long = table["size"] + "/" + table["arm"] + "/" + layer.where(layer == "", layer + "/") + table["neuron_id"]
    return table.assign(neuron_id=long), len(shared)


def _item_names(table: pd.DataFrame) -> pd.Series:
    """What was shown: the neuron, over a corpus, for a task."""
    name = table["size"] + "/" + table["arm"] + "/" + table["neuron_id"]
    return name + ("/" + table["corpus"]).where(table["corpus"] != "", "") + "/" + table["task"]


def _joint_checks(table: pd.DataFrame, faults: Faults) -> None:
    """Faults that show only when rows or columns are held against each other."""
    _verdicts_fit(table, faults)
    _one_study(table, faults)
    _no_doubles(table, faults)


def _verdicts_fit(table: pd.DataFrame, faults: Faults) -> None:
    wanted = table["judgment"].map({1: YES, 0: NO}).astype("str")
    given = table["judgment"].notna()
    wrong = (given & (table["verdict"] != wanted)) | (~given & table["verdict"].isin([YES, NO]))
    rows = np.flatnonzero(wrong.to_numpy(dtype=bool))
    pairs = table.loc[rows[:MOST_SHOWN], ["verdict", "judgment"]].itertuples(index=False)
    said = [
        f"Received {quoted(row.verdict)} beside the judgment {_judgment_said(row.judgment)}; yes is 1, no is 0, "
        "anything else has none."
        for row in pairs
    ]
    faults.add(rows, "verdict", said)


def _judgment_said(judgment: Any) -> str:
    return quoted("" if pd.isna(judgment) else str(judgment))


def _one_study(table: pd.DataFrame, faults: Faults) -> None:
    first = table["study"].iloc[0]
    rows = np.flatnonzero((table["study"] != first).to_numpy(dtype=bool))
    said = [f"Received {quoted(name)}; the rows above are of {quoted(first)}. Analyse one study at a time."
            for name in table["study"].iloc[rows[:MOST_SHOWN]]]  # fmt: skip
    faults.add(rows, "study", said)


def _no_doubles(table: pd.DataFrame, faults: Faults) -> None:
    key = ["rater", *NEURON_KEY]
    first = table.loc[~table["repeat"], key]
    again = first.index[first.duplicated()].to_numpy(dtype=np.int64)
    if not len(again):
        return
    shown = again[:MOST_SHOWN]
    keys = first.drop_duplicates().reset_index().set_index(key)["index"]
    before = [int(keys.loc[tuple(first.loc[row])]) for row in shown]
    lines = faults.lines(before)
    said = [
        f"{table.at[row, 'rater']} has judged {table.at[row, 'neuron_id']} of {table.at[row, 'arm']} before, in "
        f"{faults.source.place} {line}. Keep one of them, or mark second showings with 1 in a column repeat."
        for row, line in zip(shown, lines, strict=True)
    ]
    faults.add(again, "neuron_id", said)


def _places(judgments: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    found = judgments[["size", "arm"]].drop_duplicates()
    return tuple((str(size), str(arm)) for size, arm in found.itertuples(index=False, name=None))


def _neurons(judgments: pd.DataFrame) -> pd.DataFrame:
    """Every neuron that was judged, and by how many raters."""
    first = judgments[~judgments["repeat"]]
    counted = first.groupby(NEURON_KEY, sort=True, dropna=False)["rater"].nunique().rename("assigned").reset_index()
    counted.insert(4, "neuron", np.arange(len(counted)))
    return counted


def _draws(neurons: pd.DataFrame) -> pd.DataFrame:
    """How neurons were drawn is not known here: each that was judged counts as drawn."""
    place = ["size", "arm", "layer", "neuron_id"]
    table = neurons.drop_duplicates(place)[["size", "arm", "layer", "neuron"]].reset_index(drop=True)
    table.insert(0, "number", np.arange(1, len(table) + 1))
    return table.assign(accepted=True, reason="", reserve=False)


def _sha256(files: list[Path], rest: str) -> str:
    digest = sha256(rest.encode())
    for path in files:
        digest.update(sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _notes(
    source: Source, long: Long, judgments: pd.DataFrame, plan: AnalysisPlan, renamed: int, counted: bool
) -> Iterator[str]:
    skipped = int((judgments["verdict"] == CANNOT).sum())
    yield f"{len(judgments):,} rows of {judgments['rater'].nunique():,} raters were read."
    if skipped:
        yield f"{skipped:,} judgments are empty: shown and skipped. The report bounds what they can hide."
    if source.blank:
        yield f"{source.blank:,} empty rows were passed over."
    if long.not_asked:
        yield f"{long.not_asked:,} empty cells of the matrix count as not asked."
    if long.unused:
        yield f"Columns that are not read: {', '.join(long.unused)}."
    if renamed:
        yield f"{renamed:,} names of neurons stand in several arms, sizes or layers: taken as different neurons."
    if other := int((judgments["rater_kind"] != plan.rater_kind).sum()):
        yield f"{other:,} rows are of another kind of rater than {plan.rater_kind} and are not analysed."
    judged = set(judgments["arm"].unique())
    if missing := [arm for arm in plan.arms if arm not in judged]:
        yield f"Nobody judged a neuron of {', '.join(missing)}."
    if plan.population == FINITE and not counted:
        yield "The plan asks about finite layers, but no table says how many neurons they have (--strata)."
