"""How far raters agree with each other and with themselves, with missing answers, and how sure that is."""

from analysis.stats.agreement.alpha import alpha_interval, alpha_linearised, krippendorff_alpha
from analysis.stats.agreement.cohen import CohenKappas, cohen_kappas
from analysis.stats.agreement.counts import category_counts
from analysis.stats.agreement.kappas import fleiss_kappa, gwet_ac1, gwet_ac2, pairwise_agreement
from analysis.stats.agreement.repeats import SelfAgreement, self_agreement
from analysis.stats.agreement.weights import UnknownWeights, agreement_weights

__all__ = [
    "CohenKappas",
    "SelfAgreement",
    "UnknownWeights",
    "agreement_weights",
    "alpha_interval",
    "alpha_linearised",
    "category_counts",
    "cohen_kappas",
    "fleiss_kappa",
    "gwet_ac1",
    "gwet_ac2",
    "krippendorff_alpha",
    "pairwise_agreement",
    "self_agreement",
]
