"""The one unblinding read: judgments joined with the sealed key, as long tables.

Every function here asks `annotation.sealed.keys`, which raises `StudyStillBlinded` until the unblinding is recorded.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd
from django.db.models import OuterRef, Subquery

from annotation.design import canonical_json, design_from_dict
from annotation.design.arms import RANDOM_SNIPPETS
from annotation.models import (
    ERASED,
    ArmGuess,
    Assignment,
    ConflictDeclaration,
    Judgment,
    JudgmentCheck,
    Seat,
    Study,
)
from annotation.protocols import TASKS
from annotation.protocols.task import Answer
from annotation.protocols.trials import KINDS, right_answers
from annotation.sealed.keys import StudyStillBlinded, disclosure, draws_read, keys_read, strata_read
from annotation.selectors import machines_declared, rater_at, sittings, sittings_by_seat
from annotation.services.quality import catches_checked

__all__ = [
    "StudyFrames",
    "StudyStillBlinded",
    "checks_frame",
    "draws_frame",
    "harvests_shown",
    "judgment_frame",
    "neuron_frame",
    "raters_frame",
    "strata_frame",
    "study_disclosure",
    "study_frames",
]

JUDGMENT_COLUMNS = [
    "study", "size", "arm", "layer", "neuron_id", "corpus", "rater", "rater_kind", "seat", "order", "list_length",
    "repeat",
    "judgment", "verdict", "confidence", "rule", "seconds", "active_seconds", "shown_at", "submitted_at", "item",
    "guess_arm", "guess_certainty", "guess_reason", "task", "responses", "right_answers", "drawn", "score",
    "rule_writer", "rule_given",
]  # fmt: skip
RATER_COLUMNS = [
    "rater", "rater_kind", "seat", "declared", "conflict", "conflict_of_interest", "catches", "catches_right", "timed",
    "beyond_times",
]  # fmt: skip
CHECK_COLUMNS = ["rater", "seat", "order", "item", "version", "check", "value", "passed"]
DRAW_COLUMNS = ["number", "size", "arm", "layer", "neuron", "accepted", "reason", "reserve"]
STRATUM_COLUMNS = [
    "size", "arm", "layer", "corpus", "neurons", "unrecorded", "dead", "enough", "sampled", "reserved",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class StudyFrames:
    """The tables behind a report, and the hash that says they are unchanged."""

    judgments: pd.DataFrame  # one row per shown assignment
    neurons: pd.DataFrame  # one row per item
    draws: pd.DataFrame  # one row per draw of the sampling, accepted or rejected
    strata: pd.DataFrame  # one row per layer of an arm: how many neurons there are, and were drawn
    raters: pd.DataFrame  # one row per rater: catch trials and times, counted
    checks: pd.DataFrame  # one row per check of a judgment, catch trials among them
    sha256: str


def study_frames(study: Study) -> StudyFrames:
    """All tables of an unblinded study."""
    neurons = neuron_frame(study)
    tables = {
        "judgments": _judgments(study, neurons),
        "neurons": neurons.drop(columns="item_id"),
        "draws": draws_frame(study),
        "strata": strata_frame(study),
        "raters": raters_frame(study),
        "checks": checks_frame(study),
    }
    return StudyFrames(**tables, sha256=_fingerprint(tables))


def _fingerprint(tables: dict[str, pd.DataFrame]) -> str:
    """Changes with any cell, name or order of the tables; rows are hashed first, for text of a million is slow."""
    digest = sha256()
    for name, table in tables.items():
        digest.update("\0".join([name, *map(str, table.columns)]).encode() + b"\0")
        digest.update(pd.util.hash_pandas_object(table, index=False).to_numpy(dtype="<u8").tobytes())
    return digest.hexdigest()


def study_disclosure(study: Study) -> dict[str, Any]:
    """Salt, key and draws as committed to at freeze, for whoever wants to check the commitment."""
    return disclosure(study)


def judgment_frame(study: Study) -> pd.DataFrame:
    """One row per shown assignment; judgment is 1 (yes), 0 (no) or missing (cannot judge, or no answer yet)."""
    return _judgments(study, neuron_frame(study))


def neuron_frame(study: Study) -> pd.DataFrame:
    """One row per item that somebody judges: which neuron it shows, and on how many raters' lists it stands.

    Items of the reserve are on no list. Raters are the study's own kind; a list counts an item once, repeated or not.
    """
    columns = ["item_id", "size", "arm", "layer", "neuron", "corpus"]
    keys = pd.DataFrame([[getattr(row, name) for name in columns] for row in keys_read(study)], columns=columns)
    public = pd.DataFrame(list(study.items.values_list("pk", "public_id")), columns=["item_id", "item"])
    listed = Assignment.objects.filter(seat__study=study, seat__kind=study.rater_kind, repeat_of__isnull=True)
    places = pd.Series(listed.values_list("item_id", flat=True), dtype="int64")
    table = keys.merge(public, on="item_id", validate="one_to_one")
    table["assigned"] = table["item_id"].map(places.value_counts()).fillna(0).astype("int64")
    table = table[table["assigned"] > 0]
    layer, neuron = table["layer"].astype(str), table["neuron"].astype(str)
    table["neuron_id"] = table["size"] + "/" + table["arm"] + "/L" + layer + "N" + neuron
    table["task"] = table["item_id"].map(_tasks(study))
    table = table[["item_id", "item", "size", "arm", "layer", "neuron", "neuron_id", "corpus", "task", "assigned"]]
    return table.sort_values(["size", "arm", "layer", "neuron", "corpus"], ignore_index=True)


def harvests_shown(study: Study) -> dict[str, int]:
    """Harvest that each judged neuron was read from, by `neuron_id`; random snippets show no neuron and have none."""
    design = design_from_dict(study.design)
    without = {(pair.size, arm.name) for pair in design.pairs for arm in pair.arms if arm.kind == RANDOM_SNIPPETS}
    return {
        f"{row.size}/{row.arm}/L{row.layer}N{row.neuron}": row.harvest_id
        for row in keys_read(study)
        if (row.size, row.arm) not in without
    }


def draws_frame(study: Study) -> pd.DataFrame:
    """Every draw of the sampling in the order it was made, with the reason where it was rejected.

    `reserve` marks the neurons that are on nobody's list, because no amendment brought them into use.
    """
    rows = [tuple(getattr(draw, column) for column in DRAW_COLUMNS) for draw in draws_read(study)]
    table = pd.DataFrame(rows, columns=DRAW_COLUMNS)
    place = ["size", "arm", "layer", "neuron"]
    judged = table[place].apply(tuple, axis=1).isin(set(neuron_frame(study)[place].itertuples(index=False, name=None)))
    return table.assign(reserve=table["reserve"] & ~judged)


def strata_frame(study: Study) -> pd.DataFrame:
    """Every layer of every arm over every corpus: its neurons as counted at freeze, and how many were drawn.

    Counts are empty where there is no finite population: random snippets.
    """
    rows = [tuple(getattr(stratum, column) for column in STRATUM_COLUMNS) for stratum in strata_read(study)]
    table = pd.DataFrame(rows, columns=STRATUM_COLUMNS)
    return table.astype(dict.fromkeys(("neurons", "unrecorded", "dead", "enough"), "Int64"))


def raters_frame(study: Study) -> pd.DataFrame:
    """Everybody who sits or sat on a seat: catch trials and times of their own answers, and what they declared.

    Answers stay with who gave them, also where the seat is somebody else's now.
    """
    kinds = dict(Seat.objects.filter(study=study).values_list("number", "kind"))
    declared = {row.evaluator.pseudonym: row.declared for row in machines_declared(study)}
    rows = sorted(sittings(study), key=lambda row: row.seat)
    table = pd.DataFrame([(row.pseudonym, kinds[row.seat], row.seat) for row in rows], columns=RATER_COLUMNS[:3])
    table = table.drop_duplicates("rater", keep="last", ignore_index=True)
    table["declared"] = [declared.get(rater, "") for rater in table["rater"]]
    counts = _rater_counts(study).reindex(table["rater"], fill_value=0)
    table = table.assign(**{name: counts[name].to_numpy(dtype="int64") for name in counts})
    return table.merge(_conflicts(study), on="rater", how="left")[RATER_COLUMNS]


def _rater_counts(study: Study) -> pd.DataFrame:
    """Catch trials and times by who gave the answers; the same rules as `annotation.protocols.checks`."""
    quality, seats = design_from_dict(study.design).quality, sittings_by_seat(study)
    current = Judgment.objects.filter(is_current=True, assignment__seat__study=study)
    rows = list(current.values_list("assignment__seat__number", "submitted_at", "active_ms"))
    times = pd.DataFrame(rows, columns=["seat", "at", "active_ms"])
    seconds = times["active_ms"].astype("float64").where(times["active_ms"] > 0) / 1000
    times["rater"] = [rater_at(seats.get(seat, []), seat, at) for seat, at, _ in rows]
    times["timed"] = seconds.notna()
    times["beyond_times"] = (seconds < quality.least_seconds) | (seconds > quality.most_seconds)
    catches = pd.DataFrame(
        [(rater_at(seats.get(seat, []), seat, at), right) for seat, at, right in catches_checked(study)],
        columns=["rater", "right"],
    ).astype({"right": "int64"})
    counted = times.groupby("rater")[["timed", "beyond_times"]].sum()
    caught = catches.groupby("rater")["right"].agg(["size", "sum"])
    return counted.assign(catches=caught["size"], catches_right=caught["sum"]).fillna(0)


def _conflicts(study: Study) -> pd.DataFrame:
    """What raters last declared; a text that was taken back says so."""
    found = {}
    rows = ConflictDeclaration.objects.filter(consent__study=study).order_by("consent_id")
    for row in rows.select_related("consent__evaluator"):
        words = ERASED if row.erased_at and row.has_conflict else row.text
        found[row.consent.evaluator.pseudonym] = (row.has_conflict, words)
    told = [(rater, *said) for rater, said in found.items()]
    table = pd.DataFrame(told, columns=["rater", "conflict", "conflict_of_interest"])
    return table.astype({"conflict": "boolean"})


def checks_frame(study: Study) -> pd.DataFrame:
    """Every stored check of every judgment, superseded judgments and catch trials included."""
    checks = JudgmentCheck.objects.filter(judgment__assignment__seat__study=study)
    rows = checks.order_by("judgment__assignment__seat__number", "judgment_id", "name").values_list(
        "judgment__submitted_at", "judgment__assignment__seat__number", "judgment__assignment__position",
        "judgment__assignment__item__public_id", "judgment__version", "name", "value", "passed",
    )  # fmt: skip
    seats = sittings_by_seat(study)
    named = [(rater_at(seats.get(seat, []), seat, at), seat, *rest) for at, seat, *rest in rows]
    table = pd.DataFrame(named, columns=CHECK_COLUMNS)
    return table.astype({"value": "float64", "passed": "boolean"})


def _judgments(study: Study, neurons: pd.DataFrame) -> pd.DataFrame:
    table = _shown(study).merge(_answers(study), on="assignment", how="left", validate="one_to_one")
    table = table.merge(_guesses(study), on="assignment", how="left", validate="one_to_one")
    table = table[table["first_shown"].notna() | table["verdict"].notna()]
    table = _with_truth(table, study).merge(_rules(study), on="assignment", how="left", validate="one_to_one")
    for column in ("rule_writer", "rule_given"):
        table[column] = table[column].fillna("")
    table = table.merge(neurons[["item_id", "item", "size", "arm", "layer", "neuron_id", "corpus"]], on="item_id")
    table["study"], table["rater"] = study.slug, _raters(study, table)
    table["shown_at"] = table["answer_shown_at"].where(table["answer_shown_at"].notna(), table["first_shown"])
    table["verdict"], table["rule"] = table["verdict"].fillna(""), table["rule"].fillna("")
    table["judgment"] = table["verdict"].map({"yes": 1, "no": 0}).astype("Int8")
    for column in ("confidence", "guess_certainty"):
        table[column] = table[column].astype("Float64").astype("Int8")
    for column in ("guess_arm", "guess_reason"):
        table[column] = table[column].fillna("")
    for column, milliseconds in (("seconds", "wall_ms"), ("active_seconds", "active_ms")):
        # A browser without scripts measures nothing and sends 0: that is a missing time, not an instant answer.
        measured = table[milliseconds].astype("float64")
        table[column] = measured.where(measured > 0, np.nan) / 1000
    return table.sort_values(["rater", "order"], ignore_index=True)[JUDGMENT_COLUMNS]


def _raters(study: Study, table: pd.DataFrame) -> list[str]:
    """Who gave each answer: a seat may have changed hands, and its answers stay with who gave them."""
    seats = sittings_by_seat(study)
    if all(len(rows) == 1 for rows in seats.values()):
        return list(table["rater"])
    answered = zip(table["seat"], table["submitted_at"], table["rater"], strict=True)
    return [rater if pd.isna(at) else rater_at(seats.get(seat, []), seat, at) or rater for seat, at, rater in answered]


def _shown(study: Study) -> pd.DataFrame:
    fields = [
        "pk", "seat__number", "seat__kind", "seat__evaluator__pseudonym", "item_id", "position", "repeat_of_id",
        "shown_at",
    ]  # fmt: skip
    names = ["assignment", "seat", "rater_kind", "pseudonym", "item_id", "order", "repeat", "first_shown"]
    rows = list(Assignment.objects.filter(seat__study=study).values_list(*fields))
    table = pd.DataFrame(rows, columns=names)
    table["first_shown"] = pd.to_datetime(table["first_shown"], utc=True)
    table["repeat"] = table["repeat"].notna()
    table["rater"] = table["pseudonym"].fillna("seat " + table["seat"].astype(str))
    table["list_length"] = table.groupby("seat")["order"].transform("size").astype("int64")
    return table


def _answers(study: Study) -> pd.DataFrame:
    fields = [
        "assignment_id", "verdict", "confidence", "rule", "responses", "active_ms", "wall_ms", "shown_at",
        "submitted_at",
    ]  # fmt: skip
    names = ["assignment", *fields[1:7], "answer_shown_at", "submitted_at"]
    current = Judgment.objects.filter(is_current=True, assignment__seat__study=study)
    table = pd.DataFrame(list(current.values_list(*fields)), columns=names)
    for column in ("answer_shown_at", "submitted_at"):
        table[column] = pd.to_datetime(table[column], utc=True)
    return table.astype({"assignment": "int64"})


def _with_truth(table: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Task, right answers and score of every row; responses as JSON text, empty where no answer came."""
    truths = {row.item_id: row.truth for row in keys_read(study)}
    tasks = _tasks(study)
    items = table["item_id"]
    shown = {item: truths.get(item, {}) for item in items.unique()}
    right = {item: canonical_json(right_answers(truth)) for item, truth in shown.items()}
    drawn = {item: canonical_json(truth.get(KINDS, {})) for item, truth in shown.items()}
    given = zip(table["verdict"], table["responses"], items, strict=True)
    scores = [_score(verdict, said, tasks[item], shown[item]) for verdict, said, item in given]
    answered = zip(table["responses"], table["verdict"].notna(), strict=True)
    return table.assign(
        task=items.map(tasks),
        right_answers=items.map(right),
        drawn=items.map(drawn),
        score=pd.array(scores, dtype="Float64"),
        responses=[(canonical_json(said) if said else "{}") if done else "" for said, done in answered],
    )


def _tasks(study: Study) -> dict[int, str]:
    """Task of each item: the study's, unless the item names its own."""
    own = design_from_dict(study.design).protocol
    return {item: task or own for item, task in study.items.values_list("pk", "layout__task")}


def _score(verdict: Any, responses: Any, task: str, truth: dict[str, Any]) -> float | None:
    """How right an answer is, 0 … 1; None without an answer and where nothing is right or wrong."""
    if not isinstance(verdict, str) or not truth:
        return None
    return TASKS[task].score(Answer(verdict=verdict, responses=responses), truth)


def _rules(study: Study) -> pd.DataFrame:
    """Whose rule a prediction was made from, and how it read when the prediction was made."""
    predictions = Judgment.objects.filter(
        is_current=True, assignment__seat__study=study, assignment__rule_from__isnull=False
    )
    written = Judgment.objects.filter(
        assignment=OuterRef("assignment__rule_from"), verdict="yes", submitted_at__lte=OuterRef("submitted_at")
    )
    rows = predictions.annotate(rule_given=Subquery(written.order_by("-version").values("rule")[:1])).values_list(
        "assignment_id", "assignment__rule_from__seat__evaluator__pseudonym", "rule_given"
    )
    table = pd.DataFrame(list(rows), columns=["assignment", "rule_writer", "rule_given"])
    return table.astype({"assignment": "int64"})


def _guesses(study: Study) -> pd.DataFrame:
    """What raters guessed at the end: an arm's name or "dk" for don't know."""
    guesses = ArmGuess.objects.filter(assignment__seat__study=study, answered_at__isnull=False)
    rows = list(guesses.values_list("assignment_id", "guess", "certainty", "reason"))
    table = pd.DataFrame(rows, columns=["assignment", "guess_arm", "guess_certainty", "guess_reason"])
    return table.astype({"assignment": "int64"})
