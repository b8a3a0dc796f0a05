"""The plan of an analysis of ratings that were made elsewhere: `plan.toml`, the counterpart of a frozen protocol."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from analysis.ratings.columns import KINDS
from analysis.ratings.problems import Problem, RatingsRefused
from analysis.reports import AnalysisPlan, Thresholds
from annotation.design.analysis import AnalysisDesign
from annotation.design.fields import SLUG, choice_problem, number_problem, text_problem
from annotation.design.licence import LICENCES, NO_LICENCE
from annotation.design.sampling import POOLED, SamplingDesign

SIZE = "one size"  # where a file has no sizes
# What the section of a design and the plan of a report call alike.
SHARED = tuple(known.name for known in fields(AnalysisDesign) if known.name not in ("question", "baseline"))
EXCLUSIONS = tuple(known.name for known in fields(Thresholds))


@dataclass(frozen=True, slots=True)
class RatingsPlan:
    """What was fixed before the ratings were looked at.

    Attributes
    ----------
    title, question : str
        Of the study; the question as raters read it.
    arms : tuple of str
        In the order in which they are shown.
    study : str
        Short name: lower-case letters, digits and hyphens.
    rater_kind : {"human", "simulated", "machine"}
    sizes : tuple of str
        In order; empty: as they come in the file.
    groups : tuple of (size, arm)
        Which arms were judged at which sizes; empty: as the file has them.
    seed : int
        Of bootstraps and permutations.
    analysis : AnalysisDesign
        As the section of a study's design.
    exclusions : Thresholds
    layers : {"pooled", "equal", "proportional"}
        How neurons were drawn from layers; see `SamplingDesign`.
    protocol_sha256 : str
        Of a frozen protocol, if there is one; 64 hexadecimal digits.
    data_licence : str
    """

    title: str
    question: str
    arms: tuple[str, ...]
    study: str = "ratings"
    rater_kind: str = "human"
    sizes: tuple[str, ...] = ()
    groups: tuple[tuple[str, str], ...] = ()
    seed: int = 0
    analysis: AnalysisDesign = field(default_factory=AnalysisDesign)
    exclusions: Thresholds = field(default_factory=Thresholds)
    layers: str = POOLED
    protocol_sha256: str = ""
    data_licence: str = NO_LICENCE

    @classmethod
    def of_report(cls, plan: AnalysisPlan, data_licence: str) -> "RatingsPlan":
        """The plan of a report, so that anybody can ask the same of its judgments again."""
        return cls(
            title=plan.title,
            question=plan.question,
            arms=plan.arms,
            study=plan.study,
            rater_kind=plan.rater_kind,
            sizes=plan.sizes,
            groups=plan.groups,
            seed=plan.seed,
            analysis=AnalysisDesign(
                question=plan.asks, baseline=plan.baseline, **{name: getattr(plan, name) for name in SHARED}
            ),
            exclusions=plan.thresholds,
            layers=plan.layers,
            protocol_sha256=plan.protocol_sha256,
            data_licence=data_licence,
        )  # fmt: skip

    def analysis_plan(self, found: tuple[tuple[str, str], ...]) -> AnalysisPlan:
        """As the report takes it.

        Parameters
        ----------
        found : tuple of (size, arm)
            What the file has.
        """
        asked = self.analysis
        return AnalysisPlan(
            study=self.study,
            title=self.title,
            rater_kind=self.rater_kind,
            question=self.question,
            groups=self.groups or self._groups(found),
            baseline=asked.baseline_among(self.arms),
            protocol_sha256=self.protocol_sha256,
            seed=self.seed,
            thresholds=self.exclusions,
            asks=asked.question,
            **{name: getattr(asked, name) for name in SHARED},
            layers=self.layers,
        )

    def _groups(self, found: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        """Sizes and arms in the plan's order. An arm that nobody judged anywhere stays: its numbers are undefined."""
        there = set(found)
        missing = {arm for arm in self.arms if not any(arm == other for _, other in there)}
        sizes = self.sizes or tuple(dict.fromkeys(size for size, _ in found)) or (SIZE,)
        return tuple((size, arm) for size in sizes for arm in self.arms if (size, arm) in there or arm in missing)


def plan_read(path: Path) -> RatingsPlan:
    """Read a plan.

    Raises
    ------
    RatingsRefused
        With every fault found.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RatingsRefused(path.name, [Problem(f"This is not a readable TOML file: {error}.")]) from None
    return plan_from_dict(table, path.name)


def plan_from_dict(data: Mapping[str, Any], name: str = "plan") -> RatingsPlan:
    """The same from plain data.

    Examples
    --------
    >>> plan_from_dict({"title": "T", "question": "Q?", "arms": ["gelu", "solu"]}).arms
    ('gelu', 'solu')
    """
    faults = _faults(data)
    if faults:
        raise RatingsRefused(name, [Problem(f"{where}: {message}") for where, message in faults])
    values = {key: data[key] for key in ("title", "question", "study", "rater_kind", "seed", "layers",
                                         "protocol_sha256", "data_licence") if key in data}  # fmt: skip
    groups = tuple((size, arm) for size, arm in data.get("groups", []))
    return RatingsPlan(
        **values,
        arms=tuple(data.get("arms") or dict.fromkeys(arm for _, arm in groups)),
        sizes=tuple(data.get("sizes") or dict.fromkeys(size for size, _ in groups)),
        groups=groups,
        analysis=AnalysisDesign.read("analysis", data.get("analysis", {}), []),
        exclusions=Thresholds(**data.get("exclusions", {})),
    )


def _faults(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    known = [plan_field.name for plan_field in fields(RatingsPlan)]
    found = [(name, f"Unknown field; known are: {', '.join(known)}.") for name in data if name not in known]
    found += [(name, "Missing; give a text.") for name in ("title", "question") if name not in data]
    checks = {
        "title": lambda value: text_problem(value, False, 160),
        "question": lambda value: text_problem(value, False, 2_000),
        "study": lambda value: None if isinstance(value, str) and SLUG.fullmatch(value) and len(value) <= 60
        else f"Received {value!r}; use lower-case letters, digits and single hyphens, at most 60 characters.",
        "rater_kind": lambda value: choice_problem(value, KINDS),
        "layers": lambda value: choice_problem(value, SamplingDesign.CHOICES["layers"]),
        "seed": lambda value: number_problem(value, 0, 2**63 - 1),
        "data_licence": lambda value: choice_problem(value, LICENCES),
        "protocol_sha256": lambda value: text_problem(value, True, 64),
        "arms": _names_problem,
        "sizes": _names_problem,
        "groups": _groups_problem,
    }  # fmt: skip
    found += [(name, said) for name, check in checks.items() if name in data and (said := check(data[name]))]
    if "arms" not in data and "groups" not in data:
        found.append(("arms", "Missing; give a list of the arms in the order in which they are shown."))
    analysis = AnalysisDesign.read("analysis", data.get("analysis", {}), found)
    found += _exclusion_faults(data.get("exclusions", {}))
    return found or _joint_faults(data, analysis)


def _names_problem(value: Any) -> str | None:
    fits = isinstance(value, list) and value and all(isinstance(name, str) and name.strip() for name in value)
    if not fits or len(set(value)) != len(value):
        return f"Received {value!r}; give a list of different names."
    return None


def _groups_problem(value: Any) -> str | None:
    pairs = isinstance(value, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in value)
    if not value or not pairs or not all(isinstance(name, str) and name for pair in value for name in pair):
        return f"Received {value!r}; give a list of pairs of a size and an arm."
    return None


def _exclusion_faults(value: Any) -> list[tuple[str, str]]:
    if not isinstance(value, Mapping):
        return [("exclusions", f"Received {value!r}; give a table.")]
    found = []
    for name, limit in value.items():
        where = f"exclusions.{name}"
        if name not in EXCLUSIONS:
            found.append((where, f"Unknown field; known are: {', '.join(EXCLUSIONS)}."))
        elif (name == "exclude_beyond_times") != isinstance(limit, bool):
            allowed = "true or false" if name == "exclude_beyond_times" else "a number"
            found.append((where, f"Received {limit!r}; give {allowed}."))
        elif not isinstance(limit, bool) and not (isinstance(limit, int | float) and limit >= 0):
            found.append((where, f"Received {limit!r}; give a number of at least 0."))
        elif name in ("least_catches_right", "most_beyond_times") and limit > 1:
            found.append((where, f"Received {limit!r}; give a share from 0 to 1."))
    return found


def _joint_faults(data: Mapping[str, Any], analysis: AnalysisDesign) -> list[tuple[str, str]]:
    """Faults that show only when the single fields are right."""
    groups = data.get("groups", [])
    found = [
        (name, f"Received {data[name]}, but groups name {sorted(used)}; leave one of the two out.")
        for name, used in (("sizes", {size for size, _ in groups}), ("arms", {arm for _, arm in groups}))
        if groups and name in data and set(data[name]) != used
    ]
    arms = tuple(data.get("arms") or dict.fromkeys(arm for _, arm in groups))
    if len(arms) < 1:
        found.append(("arms", "Received none; give one or more."))
    sizes = tuple(data.get("sizes") or dict.fromkeys(size for size, _ in groups)) or (analysis.size,)
    # How many raters there are shows in the file; what they do not allow is refused in the report, with the reason.
    return found + analysis.problems_among(arms, sizes, raters=2**31, per_neuron=1)


def plan_to_dict(plan: RatingsPlan) -> dict[str, Any]:
    """The plan as plain data for JSON: without a largest time there is null."""
    return {**asdict(plan), "exclusions": plan.exclusions.as_json()}


def plan_text(plan: RatingsPlan, about: str = "") -> str:
    """The plan as TOML that `plan_read` reads back unchanged."""
    lines = [f"# {line}" for line in about.splitlines()]
    lines += [f"title = {_toml(plan.title)}", f"question = {_toml(plan.question)}", f"study = {_toml(plan.study)}"]
    lines.append(f"rater_kind = {_toml(plan.rater_kind)}  # {', '.join(KINDS)}")
    lines.append(f"arms = {_toml(list(plan.arms))}  # in the order in which they are shown")
    if plan.sizes:
        lines.append(f"sizes = {_toml(list(plan.sizes))}")
    if plan.groups:
        lines.append(f"groups = {_toml([list(pair) for pair in plan.groups])}  # size and arm")
    lines.append(f"seed = {plan.seed}  # of bootstraps and permutations")
    lines.append(f"layers = {_toml(plan.layers)}  # {', '.join(SamplingDesign.CHOICES['layers'])}")
    if plan.protocol_sha256:
        lines.append(f"protocol_sha256 = {_toml(plan.protocol_sha256)}")
    lines.append(f"data_licence = {_toml(plan.data_licence)}  # {', '.join(LICENCES)}")
    lines += ["", "[analysis]  # as in the design of a study"]
    lines += [_line(name, value, AnalysisDesign.CHOICES.get(name, ())) for name, value in asdict(plan.analysis).items()]
    lines += ["", "[exclusions]  # who and what is left out of the main numbers; these values exclude nothing"]
    lines[-1] = lines[-1] if plan.exclusions == Thresholds() else "[exclusions]  # left out of the main numbers"
    lines += [_line(name, value) for name, value in asdict(plan.exclusions).items()]
    return "\n".join(lines) + "\n"


def _line(name: str, value: Any, choices: tuple[str, ...] = ()) -> str:
    return f"{name} = {_toml(value)}" + (f"  # {', '.join(choices)}" if choices else "")


def _toml(value: Any) -> str:
    """A value as TOML writes it; lists and texts are as in JSON, but for one sign."""
    if isinstance(value, float) and value == float("inf"):
        return "inf"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
