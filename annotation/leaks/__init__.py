"""The leak audit: can the arm of an item be told from how it is shown? Pure numpy and scipy.

What is compared with the study's limit is *presentation*: all that the display chose. What follows from the texts alone
(their words, and the shape of these words) differs between arms for good reason, because it is what raters judge. It is
measured beside, as information. `docs/blinding.md` tells the whole story.
"""

from annotation.leaks.auc import Auc
from annotation.leaks.audit import FEWEST, SHUFFLES, Comparison, LeakNumbers, leaks_measure, numbers_read
from annotation.leaks.page import ShownPage
from annotation.leaks.verdict import ESTIMATE, RULES, UPPER, leaks_beyond

__all__ = [
    "ESTIMATE",
    "FEWEST",
    "RULES",
    "SHUFFLES",
    "UPPER",
    "Auc",
    "Comparison",
    "LeakNumbers",
    "ShownPage",
    "leaks_beyond",
    "leaks_measure",
    "numbers_read",
]
