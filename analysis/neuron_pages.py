"""Every neuron of an unblinded study as a table to browse: filtered, sorted, a page at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from analysis.frames import harvests_shown, judgment_frame
from analysis.reports.neurons import neuron_table
from annotation.audit import anchor, chain_of
from annotation.models import Judgment, Study
from annotation.protocols.task import YES
from neurons.models import HarvestRun, RunStatus

ROWS = 50  # on a page
SORTS = ("neuron_id", "layer", "share")
VERDICTS = ("yes", "no", "tie", "none", "split")  # majorities, nobody judged, and raters who do not agree
ASKED = ("size", "arm", "verdict", "q", "sort")


@dataclass(frozen=True, slots=True)
class NeuronQuery:
    """What a reader asks the table for; an empty text asks for everything.

    Attributes
    ----------
    verdict : {"", "yes", "no", "tie", "none", "split"}
    text : str
        In a rule or in the neuron's name, whatever the case.
    sort : str
        One of `SORTS`, with "-" in front for descending.
    """

    size: str = ""
    arm: str = ""
    verdict: str = ""
    text: str = ""
    sort: str = "neuron_id"
    page: int = 1


@dataclass(frozen=True, slots=True)
class NeuronRow:
    """One neuron. `run`, `network` and `index` lead to its own page; `network` is empty where there is none."""

    size: str
    arm: str
    layer: int
    neuron_id: str
    index: int
    yes: int
    no: int
    cannot: int
    unanswered: int
    majority: str
    said: tuple[tuple[str, str, str], ...]  # rater, verdict, rule
    network: str = ""
    run: int = 0

    @property
    def judged(self) -> int:
        return self.yes + self.no

    @property
    def short(self) -> str:
        """The name without size and arm, which stand beside it."""
        return self.neuron_id.rpartition("/")[2]

    @property
    def before(self) -> str:
        return self.neuron_id.removesuffix(self.short)


@dataclass(frozen=True, slots=True)
class NeuronPage:
    rows: tuple[NeuronRow, ...]
    found: int
    neurons: int  # in the study
    page: int
    pages: int
    sizes: tuple[str, ...]
    arms: tuple[str, ...]


def neuron_page(study: Study, query: NeuronQuery) -> NeuronPage:
    """One page of the table. An unknown order or page falls back to the first.

    Raises `StudyStillBlinded` until the study is unblinded.
    """
    # Asked at every turn, also where the table is kept: a key may be read after unblinding only.
    harvests = harvests_shown(study)
    table = kept_table(study.pk, _stamp(study))
    found = _sorted(_filtered(table, query), query.sort)
    pages = max(1, -(-len(found) // ROWS))
    page = min(max(1, query.page), pages)
    here = found.iloc[(page - 1) * ROWS : page * ROWS]
    return NeuronPage(
        rows=tuple(_rows(here, harvests)),
        found=len(found),
        neurons=len(table),
        page=page,
        pages=pages,
        sizes=tuple(dict.fromkeys(table["size"])),
        arms=tuple(dict.fromkeys(table["arm"])),
    )


def _stamp(study: Study) -> str:
    """Changes with every answer, and with everything that is done to answers afterwards."""
    answers = Judgment.objects.filter(assignment__seat__study=study).count()
    return f"{answers} {anchor(chain_of(study))}"


@lru_cache(maxsize=4)
def kept_table(study_id: int, stamp: str) -> pd.DataFrame:
    """The whole table, made once for as long as nothing changes."""
    table = neuron_table(judgment_frame(Study.objects.get(pk=study_id)))
    words = [" ".join([name, *(text for _, text in rules)]) for name, rules in table[["neuron_id", "rules"]].to_numpy()]
    return table.assign(words=[text.casefold() for text in words])


def _filtered(table: pd.DataFrame, query: NeuronQuery) -> pd.DataFrame:
    kept = pd.Series(True, index=table.index)
    for column, wanted in (("size", query.size), ("arm", query.arm)):
        if wanted:
            kept &= table[column] == wanted
    if query.verdict == "split":
        kept &= (table["yes"] > 0) & (table["no"] > 0)
    elif query.verdict:
        kept &= table["majority"] == ("" if query.verdict == "none" else query.verdict)
    if query.text:
        kept &= table["words"].str.contains(query.text.casefold(), regex=False)
    return table[kept]


def _sorted(table: pd.DataFrame, sort: str) -> pd.DataFrame:
    name = sort.removeprefix("-")
    if name not in SORTS or sort == "neuron_id":
        return table  # as it comes: by size, arm, layer and number
    if name == "neuron_id":
        return table.iloc[::-1]
    return table.sort_values(name, ascending=not sort.startswith("-"), kind="stable", na_position="last")


def _rows(table: pd.DataFrame, harvests: dict[str, int]) -> list[NeuronRow]:
    asked = {harvests.get(str(name), 0) for name in table["neuron_id"]}
    done = HarvestRun.objects.filter(pk__in=asked, status=RunStatus.DONE).select_related("network")
    networks = {run.pk: run.network.name for run in done}
    return [
        NeuronRow(
            size=row.size, arm=row.arm, layer=int(row.layer), neuron_id=row.neuron_id,
            index=-1 if pd.isna(row.neuron) else int(row.neuron), yes=int(row.yes), no=int(row.no),
            cannot=int(row.cannot), unanswered=int(row.unanswered), majority=row.majority,
            said=tuple(_said(row.verdicts, row.rules)),
            network=networks.get(harvests.get(row.neuron_id, 0), ""), run=harvests.get(row.neuron_id, 0),
        )
        for row in table.itertuples(index=False)
    ]  # fmt: skip


def _said(verdicts: list[tuple[str, str]], rules: list[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Each rater's verdict with the rule; over several corpora a rater stands there more than once."""
    left = list(rules)
    for rater, verdict in verdicts:
        # A rule comes with a yes; both lists are in the order of the raters.
        mine = next((rule for rule in left if rule[0] == rater), None) if verdict == YES else None
        if mine is not None:
            left.remove(mine)
        yield rater, verdict, mine[1] if mine else ""
    for rater, rule in left:
        yield rater, "", rule
