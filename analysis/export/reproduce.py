"""The script that every export carries: the code that drew and allocated the study, as one file that runs alone."""

from functools import cache

from analysis.export.bundle import bundle_text, name_of
from annotation.randomize import (
    allocation,
    balance,
    guesses,
    offline,
    order,
    plan,
    predictions,
    reserve,
    sampling,
    streams,
)

# In the order in which they need each other; the last one holds the command.
MODULES = (streams, sampling, allocation, balance, order, plan, predictions, reserve, guesses, offline)
HEADER = '''\
"""Reproduce the draw of neurons, the allocation and every rater's order of this study, and say whether they match.

    python reproduce.py            the export in this script's own folder
    python reproduce.py FOLDER     another export

Needs Python 3.11 or later and NumPy. This is the code of Blindscope that made the allocation, in one file: the modules
{modules}
of annotation/randomize, without their imports of each other and their longer explanations.
"""
'''


@cache
def reproduce_script() -> str:
    """The text of the script."""
    return bundle_text(HEADER.format(modules=", ".join(name_of(module) for module in MODULES)), MODULES)
