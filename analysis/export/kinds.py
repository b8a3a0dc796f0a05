"""What kinds of numbers are called, and in which section of a report they are told.

A report may hold kinds that are not known here: they are named after themselves and still find a place.
"""

import re

WORDS = {
    "fraction": "Interpretable fraction",
    "difference": "Difference",
    "majority_fraction": "Majority of raters",
    "majority_difference": "Difference, majority of raters",
    "generalising_fraction": "Fraction, new raters too",
    "generalising_difference": "Difference, new raters too",
    "generalising_score": "Right answers, new raters too",
    "generalising_score_difference": "Difference in right answers, new raters too",
    "fraction_cannot_as_no": "Cannot judge counted as no",
    "fraction_cannot_as_yes": "Cannot judge counted as yes",
    "fraction_excluding_nobody": "Fraction, nobody excluded",
    "difference_excluding_nobody": "Difference, nobody excluded",
    "fraction_excluding_strict": "Fraction, strict exclusions",
    "difference_excluding_strict": "Difference, strict exclusions",
    "unanimous_fraction": "Unanimous raters",
    "any_fraction": "At least one rater",
    "fraction_skipped_as_no": "Every missing answer counted as no",
    "fraction_skipped_as_yes": "Every missing answer counted as yes",
    "layer_third_fraction": "Fraction by layer third",
    "layer_third_difference": "Difference by layer third",
    "layer_trend": "Trend over depth, p",
    "exact_fraction": "Fraction, exact interval",
    "jeffreys_fraction": "Fraction, Jeffreys' interval",
    "look_bound": "Bound for the standardised difference",
    "look_level": "p value that stops",
    "look_spent": "Error spent",
    "repeated_difference": "Difference, for all looks together",
    "always_valid_fraction": "Fraction, however often one looks",
    "always_valid_difference": "Difference, however often one looks",
    "stratified_score_difference": "Difference, stratified score",
    "mantel_haenszel_difference": "Difference, Mantel–Haenszel",
    "mantel_haenszel_ratio": "Ratio, Mantel–Haenszel",
    "mantel_haenszel_odds_ratio": "Odds ratio, Mantel–Haenszel",
    "cmh_p": "Cochran–Mantel–Haenszel test, p",
    "breslow_day_p": "Same odds ratio in all sizes, p",
    "heterogeneity_p": "Same difference in all sizes, p",
    "heterogeneity_of_one_size_p": "One size against the others, p",
    "stratum_score_difference": "Difference in one size, score",
    "stratum_score_ratio": "Ratio in one size, score",
    "stratum_score_odds_ratio": "Odds ratio in one size, score",
    "stratum_score_p": "Score test in one size, p",
    "stratum_fisher_midp": "Fisher's mid-p in one size",
    "stratum_holm_p": "Score test, adjusted for all sizes, p",
    "size_trend_p": "Trend over sizes, p",
    "permutation_p": "Permutation test of arms over neurons, p",
    "permutation_holm_p": "Permutation test, adjusted for all sizes, p",
    "sensitivity": "The primary contrast under other choices",
    "mixed_odds_ratio": "Odds ratio, mixed model, these raters",
    "mixed_difference": "Difference, mixed model, these raters",
    "mixed_neuron_sd": "Spread of neurons, mixed model, logits",
    "mixed_generalising_odds_ratio": "Odds ratio, mixed model, new raters too",
    "mixed_generalising_difference": "Difference, mixed model, new raters too",
    "mixed_generalising_neuron_sd": "Spread of neurons, mixed model with random raters, logits",
    "mixed_generalising_rater_sd": "Spread of raters, mixed model, logits",
    "mixed_generalising_rater_arm_sd": "Spread of raters within an arm, mixed model, logits",
    "bayesian_odds_ratio": "Odds ratio, Bayesian model, new raters too",
    "bayesian_difference": "Difference, Bayesian model, new raters too",
    "bayesian_neuron_sd": "Spread of neurons, Bayesian model, logits",
    "bayesian_rater_sd": "Spread of raters, Bayesian model, logits",
    "bayesian_rater_arm_sd": "Spread of raters within an arm, Bayesian model, logits",
    "order_effect": "Change over the list",
    "last_third_difference": "Last third less first third of the list",
    "time_order_ratio": "Ratio of times over the list",
    "time_arm_ratio": "Ratio of times between arms",
    "confidence_superiority": "Chance of the higher confidence",
    "rater_fraction": "One rater alone",
    "rater_difference": "Difference, one rater alone",
    "score": "Right answers",
    "score_difference": "Difference in right answers",
    "precision": "Precision of predictions",
    "precision_difference": "Difference in precision",
    "recall": "Recall of predictions",
    "recall_difference": "Difference in recall",
    "agreement": "Raw agreement",
    "alpha": "Krippendorff's alpha",
    "alpha_linearised": "Alpha, linearised",
    "light_kappa": "Cohen's kappa, mean",
    "confidence_alpha": "Ordinal alpha, confidence",
    "confidence_gwet_ac2": "Gwet's AC2, confidence",
    "fleiss_kappa": "Fleiss' kappa",
    "gwet_ac1": "Gwet's AC1",
    "cohen_kappa": "Cohen's kappa",
    "cohen_kappa_least": "Cohen's kappa, pair that agrees least",
    "cohen_kappa_greatest": "Cohen's kappa, pair that agrees best",
    "self_agreement": "Agreement with oneself",
    "self_agreement_kappa": "Cohen's kappa with oneself",
    "self_agreement_drift_p": "As many yes when seen again, p",
    "leniency": "Rater against the average rater",
    "cochran_q_p": "Cochran's Q, complete answers, p",
    "leniency_p": "Cochran's Q, all answers, p",
    "mcnemar_p": "McNemar of two raters, p, adjusted",
    "mcnemar_least_p": "McNemar, pair that differs most, p, adjusted",
    "rater_by_arm_p": "Same difference for every rater, p",
    "rater_by_arm_spread": "Spread of the difference over raters",
    "dawid_skene_fraction": "Latent fraction (Dawid–Skene)",
    "dawid_skene_difference": "Difference of latent fractions (Dawid–Skene)",
    "james": "James' index",
    "bang": "Bang's index",
    "rater_james": "James' index, one rater",
    "rater_bang": "Bang's index, one rater",
    "guess_p": "Permutation test of the guesses",
    "guess_p_given_verdict": "Permutation test of the guesses given the verdict, p",
}

# The first section whose pattern is found in the kind; the order matters.
PLACES = (
    ("sensitivity", re.compile(r"^(exact|jeffreys)_")),
    ("sensitivity", re.compile(r"mixed|bayes|logistic|marginal")),
    ("looks", re.compile(r"^(look|repeated|always_valid)_")),
    ("blind", re.compile(r"james|bang|guess|blind")),
    ("layers", re.compile(r"layer|depth")),
    ("spectrum", re.compile(r"^band")),
    ("scores", re.compile(r"^(generalising_)?(score|precision|recall)")),
    ("agreement", re.compile(r"kappa|agree|alpha|fleiss|cohen|\bac[12]\b|gwet|_ac[12]")),
    ("order", re.compile(r"order|fatigue|time|seconds|confidence|third")),
    ("raters", re.compile(r"rater|lenien|cochran_q|mcnemar|dawid|latent")),
    (
        "sensitivity",
        re.compile(r"excluding|cannot|skipped|any_|majority|unanimous|generalis|finite|sensitiv"),
    ),
    ("strata", re.compile(r"mantel|cmh|strat|breslow|trend|odds|ratio|heterogen|holm|hochberg|adjusted")),
)


def kind_words(kind: str) -> str:
    """A kind as people read it.

    Examples
    --------
    >>> kind_words("fraction"), kind_words("newer_kind"), kind_words("band: 90–100 %")
    ('Interpretable fraction', 'Newer kind', 'Band: 90–100 %')
    """
    words = WORDS.get(kind) or kind.replace("_", " ")
    return words[:1].upper() + words[1:]


def section_of(kind: str, status: str) -> str:
    """The id of the section in which a number is told."""
    for section, pattern in PLACES:
        if pattern.search(kind):
            return section
    if status in ("primary", "planned"):
        return "fractions"
    return "sensitivity" if status == "sensitivity" else "further"
