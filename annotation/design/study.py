"""The design of a study, read from TOML, a form or stored JSON."""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any

from annotation.design.analysis import AnalysisDesign
from annotation.design.arms import PairDesign, pairs_read
from annotation.design.assignment import AssignmentDesign
from annotation.design.blinding import BlindingDesign
from annotation.design.consent import ConsentDesign
from annotation.design.crowd import CrowdDesign
from annotation.design.fields import SLUG, DesignRefused, Problems, Section, number_problem, text_problem
from annotation.design.guess import GuessDesign
from annotation.design.plan import PlanDesign
from annotation.design.quality import QualityDesign
from annotation.design.sampling import SamplingDesign
from annotation.design.training import TrainingDesign
from annotation.protocols import TASKS, first_glance
from annotation.protocols.display import MATCHED, MATCHED_TASKS, PEAK, PROPORTIONAL, RANK

HUMAN, SIMULATED = "human", "simulated"
PROTOCOLS = tuple(TASKS)
DISPLAYS = (PEAK, RANK, MATCHED, PROPORTIONAL)
RATER_KINDS = (HUMAN, SIMULATED)

# Whole numbers: field -> smallest and largest allowed value.
RANGES: dict[str, tuple[int, int]] = {
    "seed": (0, 2**63 - 1),
    "marked_per_snippet": (1, 12),
    "bands": (2, 9),
    "even_characters": (0, 4_000),
    "neurons_per_arm": (1, 10_000),
    "snippets_per_neuron": (1, 100),
    "context_before": (0, 1_024),
    "context_after": (0, 1_024),
    "raters": (1, 500),
    "raters_per_neuron": (1, 500),
}
CHOICES: dict[str, tuple[str, ...]] = {"protocol": PROTOCOLS, "display": DISPLAYS, "rater_kind": RATER_KINDS}
# Texts: field -> (may be empty, most characters).
TEXTS: dict[str, tuple[bool, int]] = {
    "title": (False, 160),
    "corpus": (False, 60),
    "instructions": (True, 20_000),
    "contact": (True, 400),
}
# Tables of the design, each in a module of its own.
SECTIONS: dict[str, type[Section]] = {
    "sampling": SamplingDesign,
    "assignment": AssignmentDesign,
    "blinding": BlindingDesign,
    "consent": ConsentDesign,
    "quality": QualityDesign,
    "guess": GuessDesign,
    "plan": PlanDesign,
    "analysis": AnalysisDesign,
    "crowd": CrowdDesign,
    "training": TrainingDesign,
}


@dataclass(frozen=True, slots=True)
class StudyDesign:
    """A study as its author asks for it.

    Attributes
    ----------
    title, slug : str
        Shown to raters; name no arm in them.
    seed : int
        The author's number, 0 … 2**63 - 1. The draw also depends on a salt that stays sealed until unblinding.
    corpus : str
        Name of the corpus whose harvests are shown.
    pairs : tuple of PairDesign
    protocol : str
        Name of the task: a key of `annotation.protocols.TASKS`.
    options : dict
        What the task lets its author choose; see the task's module.
    display : {"peak", "rank", "matched", "proportional"}
        How firing tokens are marked; see `annotation.protocols.display`.
    marked_per_snippet : int
        Tokens marked in every snippet (peak display).
    bands : int
        Bands of shading (proportional display).
    even_characters : int
        Characters of every snippet, divided before and after the peak as `context_before` and `context_after` are; so
        that lengths tell no arm. 0: whole tokens, as many as these two say.
    neurons_per_arm : int
        Per size and arm (see `SamplingDesign.sizes`); 60 in Elhage et al. 2022.
    snippets_per_neuron : int
        20 in Elhage et al. 2022.
    context_before, context_after : int
        Tokens shown around the strongest one.
    raters : int
        Seats of people, or of simulated raters.
    raters_per_neuron : int
        Of these, how many judge each neuron, 1 … raters.
    rater_kind : {"human", "simulated"}
    instructions : str
        Plain paragraphs, parted by empty lines; empty: the task's own.
    contact : str
        Whom raters may ask; may be empty.
    sampling : SamplingDesign
    assignment : AssignmentDesign
    blinding : BlindingDesign
    consent : ConsentDesign
    quality : QualityDesign
    guess : GuessDesign
    plan : PlanDesign
    analysis : AnalysisDesign
    crowd : CrowdDesign
    training : TrainingDesign
    """

    title: str
    slug: str
    seed: int
    corpus: str
    pairs: tuple[PairDesign, ...]
    protocol: str = first_glance.NAME
    display: str = PEAK
    marked_per_snippet: int = 3
    bands: int = 5
    even_characters: int = 0
    neurons_per_arm: int = 60
    snippets_per_neuron: int = 20
    context_before: int = 48
    context_after: int = 16
    raters: int = 3
    raters_per_neuron: int = 3
    rater_kind: str = HUMAN
    instructions: str = ""
    contact: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    sampling: SamplingDesign = field(default_factory=SamplingDesign)
    assignment: AssignmentDesign = field(default_factory=AssignmentDesign)
    blinding: BlindingDesign = field(default_factory=BlindingDesign)
    consent: ConsentDesign = field(default_factory=ConsentDesign)
    quality: QualityDesign = field(default_factory=QualityDesign)
    guess: GuessDesign = field(default_factory=GuessDesign)
    plan: PlanDesign = field(default_factory=PlanDesign)
    analysis: AnalysisDesign = field(default_factory=AnalysisDesign)
    crowd: CrowdDesign = field(default_factory=CrowdDesign)
    training: TrainingDesign = field(default_factory=TrainingDesign)

    def __post_init__(self) -> None:
        """A design that exists is a design that can be used."""
        problems = _problems({name: getattr(self, name) for name in FIELD_NAMES} | {"pairs": asdict(self)["pairs"]})
        if problems:
            raise DesignRefused(problems)

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The instructions as paragraphs without line breaks."""
        text = self.instructions.strip() or TASKS[self.protocol].default_instructions
        parts = re.split(r"\n\s*\n", text)
        return tuple(" ".join(part.split()) for part in parts)

    @property
    def corpora(self) -> tuple[str, ...]:
        """The study's own corpus, then the others."""
        return (self.corpus, *self.sampling.more_corpora)

    @property
    def items_total(self) -> int:
        """Neurons of the sample in all: sizes × arms × neurons per arm, up to rounding where sizes are proportional."""
        return sum(len(pair.arms) for pair in self.pairs) * self.neurons_per_arm


REQUIRED = ("title", "slug", "seed", "corpus", "pairs")
FIELD_NAMES = tuple(known.name for known in fields(StudyDesign))
DEFAULTS: dict[str, Any] = {known.name: known.default for known in fields(StudyDesign) if known.default is not MISSING}


def design_from_toml(text: str) -> StudyDesign:
    """Read a design from TOML text.

    Raises
    ------
    DesignRefused
        With every fault found, or with the place where the text stops being TOML.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DesignRefused([("file", f"This is not valid TOML: {error}.")]) from None
    return design_from_dict(data)


def design_from_dict(data: Mapping[str, Any]) -> StudyDesign:
    """Check a design given as plain data (TOML, stored JSON, a form).

    Parameters
    ----------
    data : mapping
        Keys as in `StudyDesign`; `raters_per_neuron` defaults to `raters`. `arms` of a pair is a table
        name -> network, or a list of {"name", "network"}.

    Raises
    ------
    DesignRefused
        With every fault found: field, what was received, what is allowed.

    Examples
    --------
    >>> arms = {"baseline": "tiny-gelu", "solu": "tiny-solu-ln"}
    >>> pair = {"size": "tiny", "layers": [0], "arms": arms}
    >>> base = {"title": "Tiny", "slug": "tiny", "seed": 1, "corpus": "embedded", "pairs": [pair]}
    >>> design_from_dict(base).items_total
    120
    >>> design_from_dict({**base, "display": "neon"})
    Traceback (most recent call last):
        ...
    annotation.design.fields.DesignRefused: display: Received 'neon'; choose one of: peak, rank, matched, proportional.
    """
    values = dict(data)
    if "raters" in values:
        values.setdefault("raters_per_neuron", values["raters"])
    problems = _key_problems(values) + _problems(values)
    if problems:
        raise DesignRefused(problems)
    sections = {name: section.read(name, values[name], []) for name, section in SECTIONS.items() if name in values}
    return StudyDesign(**{**values, **sections, "pairs": pairs_read(values["pairs"], [])})


def design_to_dict(design: StudyDesign) -> dict[str, Any]:
    """The design as plain data that `design_from_dict` reads back unchanged."""
    data: dict[str, Any] = json.loads(json.dumps(asdict(design)))
    return data


def _key_problems(values: Mapping[str, Any]) -> Problems:
    missing = [(name, "Missing; give a value.") for name in REQUIRED if name not in values]
    unknown = [
        (name, f"Unknown field; known are: {', '.join(FIELD_NAMES)}.") for name in values if name not in FIELD_NAMES
    ]
    return missing + unknown


def _problems(values: Mapping[str, Any]) -> Problems:
    problems = _value_problems(values)
    if "pairs" in values:
        pairs_read(values["pairs"], problems)
    for name, section in SECTIONS.items():
        if name in values:
            section.read(name, values[name], problems)
    return problems or _joint_problems(values)


def _value_problems(values: Mapping[str, Any]) -> Problems:
    problems = []
    for name, value in values.items():
        message = _value_problem(name, value)
        if message:
            problems.append((name, message))
    return problems


def _value_problem(name: str, value: Any) -> str | None:
    if name in RANGES:
        return number_problem(value, *RANGES[name])
    if name in CHOICES and value not in CHOICES[name]:
        return f"Received {value!r}; choose one of: {', '.join(CHOICES[name])}."
    if name in TEXTS:
        return text_problem(value, *TEXTS[name])
    if name == "slug" and not (isinstance(value, str) and len(value) <= 60 and SLUG.fullmatch(value)):
        return f"Received {value!r}; use lower-case letters, digits and single hyphens, at most 60 characters."
    return None


def _joint_problems(values: Mapping[str, Any]) -> Problems:
    """Faults that show only when the single fields are right."""
    raters = values.get("raters", DEFAULTS["raters"])
    per_neuron = values.get("raters_per_neuron", raters)
    if per_neuron > raters:
        return [("raters_per_neuron", f"Received {per_neuron}; at most the number of raters, {raters}.")]
    others = _label_problems(values) + _option_problems(values) + _analysis_problems(values, raters, per_neuron)
    return _display_problems(values) + others


def _display_problems(values: Mapping[str, Any]) -> Problems:
    protocol = values.get("protocol", DEFAULTS["protocol"])
    if values.get("display") == MATCHED and protocol not in MATCHED_TASKS:
        allowed = ", ".join(MATCHED_TASKS)
        return [("display", f"Received {MATCHED!r} for the task {protocol!r}; it is for {allowed}. Choose {RANK!r}.")]
    return []


def _label_problems(values: Mapping[str, Any]) -> Problems:
    """Labels of the guess that belong to no arm."""
    arms = {arm.name for pair in pairs_read(values.get("pairs", []), []) for arm in pair.arms}
    guess = GuessDesign.read("guess", values.get("guess", {}), [])
    known = f"the arms are {', '.join(sorted(arms))}"
    return [("guess.labels", f"Received a label for {arm!r}; {known}.") for arm in guess.labels if arm not in arms]


def _analysis_problems(values: Mapping[str, Any], raters: int, per_neuron: int) -> Problems:
    pairs = pairs_read(values.get("pairs", []), [])
    arms = tuple(dict.fromkeys(arm.name for pair in pairs for arm in pair.arms))
    sizes = tuple(dict.fromkeys(pair.size for pair in pairs))
    asked = AnalysisDesign.read("analysis", values.get("analysis", {}), [])
    found = asked.problems_among(arms, sizes, raters, per_neuron)
    here = {arm.name for pair in pairs if pair.size == asked.size for arm in pair.arms}
    if here and asked.treatment and asked.treatment not in here:
        names = ", ".join(sorted(here))
        found.append(("analysis.treatment", f"Received {asked.treatment!r}; {asked.size} has {names}."))
    return found


def _option_problems(values: Mapping[str, Any]) -> Problems:
    sampling = SamplingDesign.read("sampling", values.get("sampling", {}), [])
    if values.get("corpus") in sampling.more_corpora:
        return [("sampling.more_corpora", f"Received {values['corpus']!r}, the study's own corpus; name others.")]
    options = values.get("options", {})
    if not isinstance(options, Mapping):
        return [("options", f"Received {options!r}; give a table.")]
    task = TASKS[values.get("protocol", DEFAULTS["protocol"])]
    return [(f"options.{name}", message) for name, message in task.option_problems(options)]
