"""One answer of each rater about each thing: ratings made elsewhere may hold more, and the first one counts."""

import numpy as np

from analysis.reports.ratings import Codes, Ratings


def answered_once(ratings: Ratings, unit: Codes) -> Ratings:
    """The first row of each rater about each unit.

    Parameters
    ----------
    unit : ndarray of int, shape (rows,)
        Codes from 0: items, or neurons, which may be shown on several items.
    """
    key = unit * max(1, len(ratings.raters)) + ratings.rater
    kept = np.zeros(len(ratings), dtype=bool)
    kept[np.unique(key, return_index=True)[1]] = True
    return ratings.where(kept)
