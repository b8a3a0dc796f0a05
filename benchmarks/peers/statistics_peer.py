"""Runs in an environment of its own: statsmodels and irrCAC on a job that `benchmarks.peers.compare_statistics` wrote.

    python statistics_peer.py FOLDER

Prints one line of JSON: package, statistic, values, seconds of the processor. Knows nothing of Blindscope.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from irrCAC.raw import CAC
from statsmodels.stats.contingency_tables import StratifiedTable

REPEATS = 3


def measured(package, name, run):
    spent = []
    for _ in range(REPEATS):
        begin = time.process_time()
        values = run()
        spent.append(time.process_time() - begin)
    return {"package": package, "name": name, "values": [float(value) for value in values], "seconds": min(spent)}


def coefficient(found):
    told = found["est"]
    return told["coefficient_value"], *told["confidence_interval"]


def odds_ratio(cells):
    """Tables of treated and others by yes and no."""
    tables = [np.array([[x1, n1 - x1], [x0, n0 - x0]]) for x1, n1, x0, n0 in cells]
    table = StratifiedTable(tables)
    return table.oddsratio_pooled, *table.oddsratio_pooled_confint()


def main(folder):
    job = np.load(Path(folder) / "job.npz")
    raters = CAC(pd.DataFrame(job["matrix"]), categories=[0.0, 1.0])
    rows = [
        measured("statsmodels", "Mantel-Haenszel odds ratio", lambda: odds_ratio(job["cells"])),
        measured("irrCAC", "Fleiss' kappa with its error", lambda: coefficient(raters.fleiss())),
        measured("irrCAC", "AC1 with its error", lambda: coefficient(raters.gwet())),
        measured("irrCAC", "alpha with its error", lambda: coefficient(raters.krippendorff())),
    ]
    print(json.dumps(rows))


if __name__ == "__main__":
    main(sys.argv[1])
