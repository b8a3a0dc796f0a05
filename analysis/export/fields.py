"""The long tables of an export, column by column: what each holds, what is allowed in it, and what it leads to.

The codebook and the data package are both written from here, so that they cannot say different things.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from analysis.reports import AnalysisPlan
from annotation.protocols import TASKS
from annotation.protocols.task import VERDICTS

STRING, INTEGER, NUMBER, BOOLEAN, TIME, OBJECT, LIST = (
    "string", "integer", "number", "boolean", "datetime", "object", "array",
)  # fmt: skip
KINDS = ("human", "simulated", "machine")
DONT_KNOW = "dk"
NEEDED = {"required": True}
FROM_0, FROM_1 = {"minimum": 0}, {"minimum": 1}
SHARE = {"minimum": 0, "maximum": 1}


@dataclass(frozen=True, slots=True)
class Field:
    """One column; `constraints` are those of a Frictionless table schema."""

    name: str
    type: str
    meaning: str
    unit: str = ""
    constraints: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TableFields:
    """One table.

    Attributes
    ----------
    key : tuple of str
        Columns that together name a row.
    leads_to : tuple of (columns, table, columns there)
    """

    name: str
    title: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    leads_to: tuple[tuple[tuple[str, ...], str, tuple[str, ...]], ...] = ()


def tables_fields(plan: AnalysisPlan) -> dict[str, TableFields]:
    """Every table by its file's name without the ending, with the sizes and arms that this plan allows."""
    allowed = {"size": plan.sizes, "arm": plan.arms, "guess_arm": (*plan.arms, DONT_KNOW)}
    return {table.name: _with_choices(table, allowed) for table in _TABLES}


def _with_choices(table: TableFields, allowed: Mapping[str, tuple[str, ...]]) -> TableFields:
    return replace(table, fields=tuple(_with_choice(column, allowed) for column in table.fields))


def _with_choice(column: Field, allowed: Mapping[str, tuple[str, ...]]) -> Field:
    if column.name not in allowed:
        return column
    return replace(column, constraints={**column.constraints, "enum": list(allowed[column.name])})


def named_fields(table: TableFields, columns: Iterable[str]) -> Iterator[Field]:
    """The fields of the columns that a table has, in its order.

    Raises
    ------
    KeyError
        When a column is described nowhere.
    """
    known = {column.name: column for column in table.fields}
    return (known[name] for name in columns)


_STUDY = Field("study", STRING, "short name of the study", constraints=NEEDED)
_SIZE = Field("size", STRING, "size label of the pair of networks", constraints=NEEDED)
_ARM = Field("arm", STRING, "arm of the comparison; unknown to raters and staff until unblinding", constraints=NEEDED)
_LAYER = Field("layer", INTEGER, "layer of the neuron, from 0; empty: not known", constraints=FROM_0)
_NEURON_ID = Field("neuron_id", STRING, "name of the neuron: size/arm/layer and index", constraints=NEEDED)
_CORPUS = Field("corpus", STRING, "corpus that the snippets come from")
_RATER = Field("rater", STRING, "pseudonym of who gave the answer", constraints=NEEDED)
_RATER_KIND = Field(
    "rater_kind", STRING, "human; simulated: no person rated; machine: a declared program",
    constraints={"enum": list(KINDS), **NEEDED},
)  # fmt: skip
_SEAT = Field("seat", INTEGER, "whose list: the number of the seat, which may change hands", constraints=FROM_1)
_ORDER = Field("order", INTEGER, "place on the seat's list, from 1", constraints=FROM_1)
_REPEAT = Field("repeat", BOOLEAN, "second showing on the same list, for self-agreement only", constraints=NEEDED)
_ITEM = Field("item", STRING, "random id of what the rater saw", constraints=NEEDED)
_TASK = Field("task", STRING, "what the item asks for", constraints={"enum": list(TASKS), **NEEDED})
_VERDICT = Field(
    "verdict", STRING, "yes, no, cannot; empty: never answered, or a task that asks for none",
    constraints={"enum": list(VERDICTS)},
)  # fmt: skip
_CONFIDENCE = Field("confidence", INTEGER, "1 guess, 2 fairly sure, 3 sure; empty with cannot", constraints=FROM_0)
_RULE = Field("rule", STRING, "the rule in the rater's words; [erased]: taken back by the rater")
_WRITER = Field("rule_writer", STRING, "in predictions: pseudonym of the rater whose rule was given")
_DRAWN = "what was drawn for the question: rank range, band, kind of snippet"

_TABLES = (
    TableFields(
        "judgments",
        "one row per shown neuron and rater, with the arm",
        (
            _STUDY, _SIZE, _ARM, _LAYER, _NEURON_ID, _CORPUS, _RATER, _RATER_KIND, _SEAT, _ORDER,
            Field("list_length", INTEGER, "length of the seat's list", constraints=FROM_1),
            _REPEAT,
            Field("judgment", INTEGER, "1 interpretable, 0 not; empty: cannot judge, or shown and never answered",
                  constraints=SHARE),
            _VERDICT, _CONFIDENCE, _RULE,
            Field("seconds", NUMBER, "from shown to submitted, breaks included; empty: not measured", "seconds",
                  FROM_0),
            Field("active_seconds", NUMBER, "page in view and in use; empty: not measured", "seconds", FROM_0),
            Field("shown_at", TIME, "when the neuron was shown, by the server's clock", "UTC"),
            Field("submitted_at", TIME, "when the answer was stored, by the server's clock", "UTC"),
            _ITEM,
            Field("guess_arm", STRING, "arm guessed at the end, verdicts locked; dk: don't know; empty: not asked"),
            Field("guess_certainty", INTEGER, "1 guess, 2 fairly sure, 3 sure; empty with dk", constraints=FROM_0),
            Field("guess_reason", STRING, "why, in the rater's words"),
            _TASK,
            Field("responses", OBJECT, "what else was answered, by question; empty: never answered"),
            Field("right_answers", OBJECT, "the right answers, by question"),
            Field("drawn", OBJECT, _DRAWN.replace("the question", "each question")),
            Field("score", NUMBER, "share of right answers; empty: nothing is right or wrong", constraints=SHARE),
            _WRITER,
            Field("rule_given", STRING, "in predictions: the rule, as it read then"),
        ),
        ("seat", "order"),
        ((("item",), "key", ("item",)), (("rater",), "raters", ("rater",))),
    ),
    TableFields(
        "responses",
        "one row per judgment and question, with the right answer: trials, snippets, bands, points",
        (
            _STUDY, _SIZE, _ARM, _LAYER, _NEURON_ID, _CORPUS, _RATER, _RATER_KIND, _SEAT, _ORDER, _REPEAT, _ITEM,
            _TASK, _VERDICT, _WRITER,
            Field("response", STRING, "the question: trial_1, trial_1_confidence, snippet_1, group_1, …",
                  constraints=NEEDED),
            Field("value", STRING, "the answer; empty: none. A band has none where the verdict over all is no"),
            Field("truth", STRING, "the right answer; empty: there is none"),
            Field("right", INTEGER, "1 or 0; empty: nothing is right or wrong, or no answer", constraints=SHARE),
            Field("drawn", STRING, _DRAWN),
        ),
        ("seat", "order", "response"),
        ((("seat", "order"), "judgments", ("seat", "order")),),
    ),
    TableFields(
        "predictions",
        "precision and recall of every writer of rules and every rater who predicted from them",
        (
            _SIZE, _ARM,
            replace(_WRITER, meaning="pseudonym of who wrote the rules", constraints=NEEDED),
            replace(_RATER, meaning="pseudonym of who predicted from them"),
            Field("rules", INTEGER, "rules of the writer that this rater predicted from", constraints=FROM_0),
            Field("hits", INTEGER, "snippets predicted to fire that do", constraints=FROM_0),
            Field("false_alarms", INTEGER, "snippets predicted to fire that do not", constraints=FROM_0),
            Field("misses", INTEGER, "snippets predicted not to fire that do", constraints=FROM_0),
            Field("rejections", INTEGER, "snippets predicted not to fire that do not", constraints=FROM_0),
            Field("precision", NUMBER, "hits among the snippets predicted to fire", constraints=SHARE),
            Field("recall", NUMBER, "hits among the snippets that fire", constraints=SHARE),
            _RATER_KIND,
        ),
        ("size", "arm", "rule_writer", "rater"),
        ((("rater",), "raters", ("rater",)), (("rule_writer",), "raters", ("rater",))),
    ),
    TableFields(
        "key",
        "which neuron and arm each item showed",
        (
            replace(_ITEM, constraints={"unique": True, **NEEDED}), _SIZE, _ARM, _LAYER,
            Field("neuron", INTEGER, "index of the neuron in its layer, from 0", constraints=FROM_0),
            _NEURON_ID, _CORPUS, _TASK,
            Field("assigned", INTEGER, "on how many raters' lists the item stands", constraints=FROM_0),
            _RATER_KIND,
        ),
        ("item",),
    ),
    TableFields(
        "draws",
        "every draw of the sampling, rejected ones with the reason, and the reserve",
        (
            Field("number", INTEGER, "draws in the order they were made, from 1",
                  constraints={"unique": True, **NEEDED, **FROM_1}),
            _SIZE, _ARM, _LAYER,
            Field("neuron", INTEGER, "index of the neuron in its layer, from 0", constraints=FROM_0),
            Field("accepted", BOOLEAN, "whether it became an item", constraints=NEEDED),
            Field("reason", STRING, "why not"),
            Field("reserve", BOOLEAN, "drawn beyond the sample and on nobody's list", constraints=NEEDED),
            _RATER_KIND,
        ),
        ("number",),
    ),
    TableFields(
        "strata",
        "how many neurons each layer of each arm has, and how many were drawn",
        (
            _SIZE, _ARM, _LAYER, _CORPUS,
            Field("neurons", INTEGER, "neurons in the layer; empty: not a finite number (random snippets)",
                  constraints=FROM_0),
            Field("unrecorded", INTEGER, "of these, not in the imported records", constraints=FROM_0),
            Field("dead", INTEGER, "of these, never above 0 on the harvested text", constraints=FROM_0),
            Field("enough", INTEGER, "of these, with as many snippets of different texts as an item shows",
                  constraints=FROM_0),
            Field("sampled", INTEGER, "of these, in the study", constraints=FROM_0),
            Field("reserved", INTEGER, "of these, kept in reserve", constraints=FROM_0),
            _RATER_KIND,
        ),
        ("size", "arm", "layer", "corpus"),
    ),
    TableFields(
        "raters",
        "every rater's catch trials and times, counted, and what was declared",
        (
            replace(_RATER, meaning="pseudonym of the rater", constraints={"unique": True, **NEEDED}), _RATER_KIND,
            Field("seat", INTEGER, "the seat that the rater sat on, the last one of several", constraints=FROM_1),
            Field("declared", STRING, "name, version and model of a machine rater; empty for people"),
            Field("conflict", BOOLEAN, "whether the rater declared a conflict of interest; empty: not asked"),
            Field("conflict_of_interest", STRING, "the conflict in the rater's words; [erased]: taken back"),
            Field("catches", INTEGER, "catch trials answered", constraints=FROM_0),
            Field("catches_right", INTEGER, "of these, as a careful rater would", constraints=FROM_0),
            Field("timed", INTEGER, "answers with a measured time", constraints=FROM_0),
            Field("beyond_times", INTEGER, "of these, outside the frozen limits", constraints=FROM_0),
        ),
        ("rater",),
    ),
    TableFields(
        "checks",
        "every check of every judgment, with the value that was held against the frozen threshold",
        (
            _RATER, _SEAT, _ORDER, _ITEM,
            Field("version", INTEGER, "of the answer: a changed one is a new version", constraints=FROM_1),
            Field("check", STRING, "too_fast, too_slow (active seconds) or catch (catch trial)",
                  constraints={"enum": ["too_fast", "too_slow", "catch"], **NEEDED}),
            Field("value", NUMBER, "active seconds, or share of right answers; empty: could not be measured"),
            Field("passed", BOOLEAN, "against the frozen threshold; empty: could not be checked"),
            _RATER_KIND,
        ),
        ("seat", "order", "version", "check"),
        ((("rater",), "raters", ("rater",)),),
    ),
    TableFields(
        "answer_versions",
        "every answer that was ever given, superseded ones too, with the protocol's version then",
        (
            _RATER, _SEAT, _ORDER, _ITEM,
            Field("version", INTEGER, "a changed answer is a new version", constraints=FROM_1),
            Field("is_current", BOOLEAN, "whether it is the one that counts", constraints=NEEDED),
            _VERDICT, _CONFIDENCE, _RULE,
            Field("responses", OBJECT, "what else was answered, by question"),
            Field("marks", LIST, "fits, misfits or nothing for each snippet"),
            Field("wall_ms", INTEGER, "from shown to submitted, by the browser; 0: not measured", "milliseconds",
                  FROM_0),
            Field("active_ms", INTEGER, "page in view and in use, by the browser; 0: not measured", "milliseconds",
                  FROM_0),
            Field("shown_at", TIME, "when it was shown, by the server's clock", "UTC"),
            Field("submitted_at", TIME, "when it was stored, by the server's clock", "UTC"),
            Field("protocol_version", INTEGER, "version of the protocol in force then", constraints=FROM_0),
            _RATER_KIND,
        ),
        ("seat", "order", "version"),
        ((("rater",), "raters", ("rater",)),),
    ),
)  # fmt: skip
