"""The script in every export that works out the main numbers again, with pandas and SciPy alone."""

from functools import cache

from analysis.export import headline
from analysis.export.bundle import bundle_text
from analysis.stats import limits, mrmc, mrmc_parts, results, welch

# In the order in which they need each other; the last one holds the command.
MODULES = (results, limits, welch, mrmc_parts, mrmc, headline)
HEADER = '''\
"""Recompute the main numbers of this study from its tables, and say whether they match report.json.

    python3 headline.py            the export in this script's own folder
    python3 headline.py FOLDER     another export

Needs Python 3.11 or later with pandas and SciPy, and nothing of Blindscope. It reads judgments.csv, raters.csv,
plan.json and, for finite layers, strata.csv; it works out the interpretable fractions of every arm and size and their
differences from the baseline. Exit code 0: all match; 1: some do not; 2: nothing could be read.

What is computed stands in the last part, "headline"; the parts before it are the intervals for new raters.
"""
'''


@cache
def headline_text() -> str:
    """The text of the script."""
    return bundle_text(HEADER, MODULES)
