"""The data dictionary: what every column of the exported tables means."""

import csv
import io

from analysis.reports import Report

JUDGMENTS = "judgments.csv, judgments.parquet"
RESPONSES, PREDICTIONS = "responses.csv", "predictions.csv"
RATERS, CHECKS = "raters.csv", "checks.csv"
COLUMNS = (
    (JUDGMENTS, "study", "text", "", "short name of the study"),
    (JUDGMENTS, "size", "text", "", "size label of the pair of networks"),
    (JUDGMENTS, "arm", "text", "", "arm of the comparison; unknown to raters and staff until unblinding"),
    (JUDGMENTS, "layer", "integer", "", "layer of the neuron, from 0"),
    (JUDGMENTS, "neuron_id", "text", "", "size/arm/layer and index of the neuron"),
    (JUDGMENTS, "corpus", "text", "", "corpus that the snippets come from"),
    (JUDGMENTS, "rater", "text", "", "pseudonym of the rater"),
    (JUDGMENTS, "rater_kind", "text", "", "human; simulated: no person rated; machine: a declared program"),
    (JUDGMENTS, "order", "integer", "", "place on this rater's own list, from 1"),
    (JUDGMENTS, "list_length", "integer", "", "length of this rater's list"),
    (
        JUDGMENTS,
        "repeat",
        "boolean",
        "",
        "second showing on the same list, for self-agreement; not in the report",
    ),
    (JUDGMENTS, "judgment", "integer", "", "1 interpretable, 0 not; empty: cannot judge, or shown and never answered"),
    (JUDGMENTS, "verdict", "text", "", "yes, no, cannot; empty: shown and never answered"),
    (JUDGMENTS, "confidence", "integer", "", "1 guess, 2 fairly sure, 3 sure; empty with cannot"),
    (JUDGMENTS, "rule", "text", "", "the rule in the rater's words"),
    (JUDGMENTS, "seconds", "number", "seconds", "from shown to submitted, breaks included; empty: not measured"),
    (JUDGMENTS, "active_seconds", "number", "seconds", "page in view and in use; empty: not measured"),
    (JUDGMENTS, "shown_at", "time", "UTC", "when the neuron was shown, by the server's clock"),
    (JUDGMENTS, "submitted_at", "time", "UTC", "when the answer was stored, by the server's clock"),
    (JUDGMENTS, "item", "text", "", "random id of the item that the rater saw"),
    (JUDGMENTS, "guess_arm", "text", "", "arm guessed at the end, verdicts locked; dk: don't know; empty: not asked"),
    (JUDGMENTS, "guess_certainty", "integer", "", "1 guess, 2 fairly sure, 3 sure; empty with dk"),
    (JUDGMENTS, "guess_reason", "text", "", "why, in the rater's words"),
    (JUDGMENTS, "task", "text", "", "task of the item; in studies of two stages not always the study's own"),
    (JUDGMENTS, "responses", "text", "", "JSON: what else was answered, by question; empty: never answered"),
    (JUDGMENTS, "right_answers", "text", "", "JSON: the right answers, by question"),
    (JUDGMENTS, "drawn", "text", "", "JSON: what was drawn for each question: rank range, band, kind of snippet"),
    (JUDGMENTS, "score", "number", "", "share of right answers, 0 to 1; empty: nothing is right or wrong"),
    (JUDGMENTS, "rule_writer", "text", "", "in predictions: pseudonym of the rater whose rule was given"),
    (JUDGMENTS, "rule_given", "text", "", "in predictions: the rule, as it read then"),
    (RESPONSES, "study … rule_writer", "", "", "the judgment, as in judgments.csv; one row for each of its questions"),
    (RESPONSES, "response", "text", "", "the question: trial_1, trial_1_confidence, snippet_1, group_1, …"),
    (RESPONSES, "value", "text", "", "the answer; empty: none. A band has none where the verdict over all is no"),
    (RESPONSES, "truth", "text", "", "the right answer; empty: there is none"),
    (RESPONSES, "right", "integer", "", "1 or 0; empty: nothing is right or wrong, or no answer"),
    (RESPONSES, "drawn", "text", "", "what was drawn for the question: rank range, band, kind of snippet"),
    (PREDICTIONS, "size, arm, rule_writer, rater", "", "", "who wrote the rules and who predicted from them"),
    (PREDICTIONS, "rules", "integer", "", "rules of the writer that this rater predicted from"),
    (PREDICTIONS, "hits, false_alarms", "integer", "", "snippets predicted to fire that do, and that do not"),
    (PREDICTIONS, "misses, rejections", "integer", "", "snippets predicted not to fire that do, and that do not"),
    (PREDICTIONS, "precision", "number", "", "hits among the snippets predicted to fire, 0 to 1"),
    (PREDICTIONS, "recall", "number", "", "hits among the snippets that fire, 0 to 1"),
    (RATERS, "rater, rater_kind, seat", "", "", "pseudonym, kind and seat of the rater"),
    (RATERS, "declared", "text", "", "name, version and model of a machine rater as declared; empty for people"),
    (RATERS, "catches, catches_right", "integer", "", "catch trials answered, and answered as a careful rater would"),
    (RATERS, "timed, beyond_times", "integer", "", "answers with a measured time, and those outside the frozen limits"),
    (CHECKS, "rater, order, item, version", "", "", "the judgment: rater, place on the list, item, version"),
    (CHECKS, "check", "text", "", "too_fast, too_slow (active seconds) or catch (catch trial)"),
    (CHECKS, "value", "number", "", "active seconds, or share of right answers; empty: could not be measured"),
    (CHECKS, "passed", "boolean", "", "against the frozen threshold; empty: could not be checked"),
    ("key.csv", "item", "text", "", "random id of the item"),
    ("key.csv", "size, arm, layer, neuron, neuron_id", "", "", "the neuron that the item showed; index from 0"),
    ("key.csv", "corpus", "text", "", "corpus that the snippets come from"),
    ("key.csv", "task", "text", "", "what the item asks for"),
    ("key.csv", "assigned", "integer", "", "on how many raters' lists the item stands"),
    ("draws.csv", "number", "integer", "", "draws in the order they were made, from 1"),
    ("draws.csv", "size, arm, layer, neuron", "", "", "the neuron that was drawn"),
    ("draws.csv", "accepted, reason", "", "", "whether it became an item, and why not"),
    ("draws.csv", "reserve", "boolean", "", "drawn beyond the sample and on nobody's list"),
    ("strata.csv", "size, arm, layer, corpus", "", "", "one layer of one arm over one corpus"),
    ("strata.csv", "neurons", "integer", "", "neurons in the layer; empty: not a finite number (random snippets)"),
    ("strata.csv", "unrecorded", "integer", "", "of these, not in the imported records"),
    ("strata.csv", "dead", "integer", "", "of these, never above 0 on the harvested text"),
    ("strata.csv", "enough", "integer", "", "of these, with as many snippets of different texts as an item shows"),
    ("strata.csv", "sampled, reserved", "integer", "", "neurons in the study, and kept in reserve"),
    ("key.csv, draws.csv, strata.csv", "rater_kind", "text", "", "human, or simulated: no person rated"),
    ("answer_versions.csv", "rater", "text", "", "pseudonym of who sat on the seat when the answer was given"),
    ("answer_versions.csv", "version, is_current", "", "", "a changed answer is a new version; one of them counts"),
    ("answer_versions.csv", "marks", "JSON", "", "fits, misfits or nothing for each snippet"),
    ("answer_versions.csv", "wall_ms, active_ms", "integer", "milliseconds", "by the browser; 0: not measured"),
    ("answer_versions.csv", "protocol_version", "integer", "", "version of the protocol in force when it was given"),
    ("report.json", "numbers", "", "", "estimate, low, high at the level; null: undefined for these data"),
    ("report.json", "numbers.n", "integer", "", "neurons behind the number"),
    ("report.json", "numbers.judgments", "integer", "", "single answers behind the number"),
)


def codebook_csv(report: Report) -> str:
    """The dictionary as CSV, with who rated in every row."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["file", "column", "type", "unit", "meaning", "rater_kind"])
    writer.writerows([*row, report.plan.rater_kind] for row in COLUMNS)
    return out.getvalue()
