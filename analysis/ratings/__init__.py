"""Ratings made elsewhere: any CSV or Parquet file and a plan, as the tables that a study's report is made from.

    >>> from pathlib import Path
    >>> example = Path("docs/examples/ratings")
    >>> plan = plan_read(example / "plan.toml")
    >>> report = ratings_report(ratings_tables(example / "ratings.csv", plan))
    >>> round(report.primary.estimate, 3)
    0.222

See docs/ratings.md.
"""

from analysis.ratings.mapping import RatingsMapping, mapping_from_dict, mapping_read
from analysis.ratings.plan import RatingsPlan, plan_from_dict, plan_read, plan_text, plan_to_dict
from analysis.ratings.problems import Problem, RatingsRefused
from analysis.ratings.read import RatingsTables, ratings_report, ratings_tables
from analysis.ratings.template import plan_template

__all__ = [
    "Problem",
    "RatingsMapping",
    "RatingsPlan",
    "RatingsRefused",
    "RatingsTables",
    "mapping_from_dict",
    "mapping_read",
    "plan_from_dict",
    "plan_read",
    "plan_template",
    "plan_text",
    "plan_to_dict",
    "ratings_report",
    "ratings_tables",
]
