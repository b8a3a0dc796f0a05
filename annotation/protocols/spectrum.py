"""Snippets from the whole range of activations, in groups that do not say which: does one rule hold at every strength?

Strongest firings alone can look like one meaning where weaker ones mean something else, and a layer that moves features
into weak firings would look better than it is. Here a neuron is shown in bands of its activation. The rater sees groups
in random order, writes one rule, and says of each group whether it holds there. Which group is which band is sealed.

Bands are ranks, not strengths: shares of all harvested tokens, so that scale and sparseness of an arm set no band's
size. Every band marks one token a snippet, whatever the study's display, because for sampled tokens no other activation
is known: more marks in the top band would tell it from the others.

References
----------
Bricken et al. (2023), "Towards Monosemanticity", Transformer Circuits Thread: intervals over the whole range of
activations, each judged against the feature's overall hypothesis.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from annotation.protocols.display import mark_peak
from annotation.protocols.options import TOP, range_problem
from annotation.protocols.spectrum_practice import PRACTICE
from annotation.protocols.task import (
    NO,
    VERDICTS,
    YES,
    Answer,
    AnswerProblem,
    CannotCompose,
    Composition,
    Marker,
    Material,
    Reading,
    Shown,
    unknown_options,
    verdict_cleaned,
    verdict_problem,
)
from annotation.protocols.trials import KINDS

NAME = "spectrum"
QUESTION = "Is there one rule or category that explains the marked tokens of at least one group?"
HOLDS = 0.75  # share of a group's marked tokens that a rule must explain to hold there: 3 of 4; our own convention
MINUTES_PER_NEURON = "2–3"
SILENT = "silent"
DEFAULT_BANDS: tuple[Any, ...] = (TOP, (0.99, 0.999), (0.9, 0.99), (0.5, 0.9), SILENT)
BANDS_LEAST, BANDS_MOST = 2, 9

DEFAULT_INSTRUCTIONS = """\
You will see one neuron of a small language model at a time. For each neuron there are several groups of short pieces \
of text, called snippets. In every snippet one token (a word or part of a word) is marked.

The groups show the neuron at different strengths: in one of them the marked tokens are where it fired most strongly, \
in others it fired less, and in one it may not have fired at all. The groups come in random order and nothing says \
which is which. Marks look the same everywhere.

First look for a rule or category that explains the marked tokens of a group, and write it down. A rule can be narrow \
(one word, such as "apple") or broad (any phrase about music), as long as you could tell somebody else in one sentence.

Then say of each group whether the same rule holds there. It holds if it explains at least three quarters of the \
group's marked tokens: three of four, four of five.

It is normal that a rule holds in some groups and not in others; any number of groups may fit. If no rule explains any \
group, answer No; then the single groups need no answer. After Yes or No, say how sure you are.

Take two to three minutes for a neuron. There is no trick and no expected share of Yes. You can undo your last answer, \
stop at any time, and go on later where you left off."""


def group_name(number: int) -> str:
    """Name of the response about group 1, 2, … of the page."""
    return f"group_{number}"


def band_name(band: Any) -> str:
    """How a band is called in the sealed truth and in tables.

    Examples
    --------
    >>> [band_name(band) for band in ("top", (0.99, 0.999), (0.5, 0.9), "silent")]
    ['top', '99–99.9 %', '50–90 %', 'silent']
    """
    return band if isinstance(band, str) else f"{100 * band[0]:g}–{100 * band[1]:g} %"


def band_verdicts(answer: Answer, truth: Mapping[str, Any]) -> dict[str, str]:
    """What the answer says of each band: whether the neuron is interpretable there by the rater's one rule.

    Returns
    -------
    dict of str to {"yes", "no", "cannot"}
        By the band's name. Without a rule (No) the neuron is interpretable in no band.

    Examples
    --------
    >>> truth = {"kinds": {"group_1": "silent", "group_2": "top"}}
    >>> said = Answer(verdict="yes", rule="names", responses={"group_1": "no", "group_2": "yes"})
    >>> band_verdicts(said, truth), band_verdicts(Answer(verdict="no"), truth)
    ({'silent': 'no', 'top': 'yes'}, {'silent': 'no', 'top': 'no'})
    """
    groups = truth[KINDS].items()
    if answer.verdict != YES:
        return {band: answer.verdict for _, band in groups}
    return {band: answer.responses[name] for name, band in groups}


class Spectrum:
    """Groups of snippets from bands of activation, one verdict for each and one over all."""

    name = NAME
    label = "Spectrum"
    question = QUESTION
    default_instructions = DEFAULT_INSTRUCTIONS
    minutes_per_neuron = MINUTES_PER_NEURON
    threshold: float | None = HOLDS
    asks_verdict = True

    def option_problems(self, options: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Faults in `bands`: a list of "top", "silent" and rank shares such as [0.9, 0.99], each once.

        Examples
        --------
        >>> Spectrum().option_problems({"bands": ["top", [0.9, 0.99], "silent"]})
        []
        >>> Spectrum().option_problems({"bands": ["top"]})
        [('bands', "Received ['top']; give 2 to 9 different bands.")]
        """
        unknown = unknown_options(options, ("bands",))
        return unknown + ([("bands", message)] if (message := bands_problem(options.get("bands"))) else [])

    def options_filled(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return {"bands": bands_read(options.get("bands", DEFAULT_BANDS))}

    def compose(
        self,
        material: Material,
        *,
        snippets: int,
        options: Mapping[str, Any],
        marker: Marker,
        rng: np.random.Generator,
    ) -> Composition:
        """Groups of equal size (or one more in some), and the bands' order sealed; always marked with one token.

        Raises
        ------
        CannotCompose
            If a band holds too few texts, or the design plans fewer snippets than bands.
        """
        order = [options["bands"][int(place)] for place in rng.permutation(len(options["bands"]))]
        groups = band_snippets(material, order, group_sizes(snippets, len(order)), rng)
        ends = np.cumsum([len(group) for group in groups]).tolist()
        return Composition(
            snippets=tuple(mark_peak(reading.pieces, reading.peak, 1) for group in groups for reading in group),
            layout={"groups": [list(range(end - len(group), end)) for group, end in zip(groups, ends, strict=True)]},
            truth={KINDS: {group_name(place): band_name(band) for place, band in enumerate(order, start=1)}},
        )

    def cleaned(self, answer: Answer) -> Answer:
        return verdict_cleaned(answer)

    def answer_problem(self, answer: Answer, shown: Shown) -> AnswerProblem | None:
        """What is missing or wrong in an answer, or None if it counts.

        Examples
        --------
        >>> shown = Shown(snippets=2, layout={"groups": [[0], [1]]})
        >>> said = {"verdict": "yes", "confidence": 3, "rule": "names"}
        >>> Spectrum().answer_problem(Answer(**said, responses={"group_1": "yes"}), shown).field
        'r_group_2'
        >>> Spectrum().answer_problem(Answer(**said, responses={"group_1": "yes", "group_2": "no"}), shown) is None
        True
        """
        return verdict_problem(answer) or _groups_problem(answer, len(shown.layout["groups"]))

    def score(self, answer: Answer, truth: Mapping[str, Any]) -> float | None:
        return None

    def practice(self, options: Mapping[str, Any]) -> list[dict[str, Any]]:
        return list(PRACTICE)

    def simulated(
        self, rng: np.random.Generator, *, knows: bool, shown: Shown, truth: Mapping[str, Any]
    ) -> dict[str, Any]:
        """A rater who found the rule sees it hold in the top band, less often below, and never where nothing fires."""
        said = {"verdict": YES if knows else NO, "confidence": int(rng.integers(1, 4))}
        if not knows:
            return said | {"responses": {}}
        chances = {TOP: 1.0, SILENT: 0.0}
        responses = {name: YES if rng.random() < chances.get(band, 0.6) else NO for name, band in truth[KINDS].items()}
        if YES not in responses.values():
            responses[min(responses)] = YES
        return said | {"rule": "names of rivers", "responses": responses}


def bands_problem(bands: Any, least: int = BANDS_LEAST) -> str | None:
    """What is wrong with a list of bands, or None; None given means the default."""
    if bands is None:
        return None
    if not isinstance(bands, list | tuple):
        return f"Received {bands!r}; give a list of bands, as in ['top', [0.9, 0.99], 'silent']."
    for band in bands:
        if band != SILENT and (message := range_problem(band)):
            return message.replace("give 'top'", "give 'top', 'silent'")
    if not least <= len({band_name(band) for band in bands}) == len(bands) <= BANDS_MOST:
        return f"Received {bands!r}; give {least} to {BANDS_MOST} different bands."
    return None


def bands_read(bands: Iterable[Any]) -> list[Any]:
    """Bands as they stand in JSON: texts and pairs of numbers."""
    return [band if isinstance(band, str) else [float(share) for share in band] for band in bands]


def group_sizes(snippets: int, groups: int) -> list[int]:
    """How many snippets each group of the page gets; the first ones one more where it does not come out even.

    Examples
    --------
    >>> group_sizes(20, 5), group_sizes(11, 4)
    ([4, 4, 4, 4, 4], [3, 3, 3, 2])
    """
    return [snippets // groups + (place < snippets % groups) for place in range(groups)]


def band_snippets(
    material: Material, bands: Sequence[Any], sizes: Sequence[int], rng: np.random.Generator
) -> list[list[Reading]]:
    """So many snippets of each band, in random order within it; no text twice in all of them.

    Raises
    ------
    CannotCompose
        If a band holds too few texts that no other one shows, or a size is 0.
    """
    if min(sizes) < 1:
        raise CannotCompose(f"{sum(sizes)} snippets for {len(bands)} bands: plan at least one for each")
    seen: set[int] = set()
    found: dict[int, list[Reading]] = {}
    # The strongest snippets first, whatever their place: texts that they show are left out of other bands, not of them.
    for place in sorted(range(len(bands)), key=lambda place: bands[place] != TOP):
        found[place] = _fresh(material, bands[place], sizes[place], seen, rng)
        seen |= {reading.doc for reading in found[place]}
    return [[found[place][int(one)] for one in rng.permutation(sizes[place])] for place in range(len(bands))]


def _fresh(material: Material, band: Any, size: int, seen: set[int], rng: np.random.Generator) -> list[Reading]:
    """`size` snippets of texts that were not shown yet.

    So many more are asked for as could be shown already; a band too narrow for that is asked for just enough.
    """
    try:
        read = _read(material, band, size + len(seen), rng)
    except CannotCompose:
        read = _read(material, band, size, rng)
    fresh = [reading for reading in read if reading.doc not in seen][:size]
    if len(fresh) < size:
        raise CannotCompose(f"band {band_name(band)}: {len(fresh)} of {size} texts that no other band shows")
    return fresh


def _read(material: Material, band: Any, count: int, rng: np.random.Generator) -> Sequence[Reading]:
    if band == SILENT:
        return material.silent(count, rng)
    return material.top(count) if band == TOP else material.between(band[0], band[1], count, rng)


def _groups_problem(answer: Answer, groups: int) -> AnswerProblem | None:
    if answer.verdict != YES:
        return None
    names = [group_name(number) for number in range(1, groups + 1)]
    for number, name in enumerate(names, start=1):
        if answer.responses.get(name) not in VERDICTS:
            return AnswerProblem(f"r_{name}", f"Group {number}: say whether your rule holds there.")
    if set(answer.responses) - set(names):
        return AnswerProblem(f"r_{names[0]}", f"Received answers to more than {groups} groups; reload the page.")
    if YES not in answer.responses.values():
        message = "Your rule holds in no group: say Yes to a group in which it does, or answer No."
        return AnswerProblem("verdict", message)
    return None
