"""A plan to start from, with the arms and sizes that a file has."""

from pathlib import Path

from analysis.ratings.columns import columns_of
from analysis.ratings.mapping import RatingsMapping
from analysis.ratings.plan import RatingsPlan, plan_text
from analysis.ratings.shape import shaped
from analysis.ratings.source import source_read

ARMS = ("baseline", "treatment")
ABOUT = """\
The plan of an analysis. Write it before you look at the ratings, and keep it with a date that others can check:
what the report calls primary and planned is what stands here; everything else it calls exploratory.
docs/ratings.md explains every field."""


def plan_template(file: Path | None = None, mapping: RatingsMapping | None = None) -> str:
    """The text of a plan; from a file of ratings only the names of arms and sizes are read, no judgment.

    Raises
    ------
    RatingsRefused
        When the file cannot be read, or has no arms.
    """
    arms: tuple[str, ...] = ARMS
    sizes: tuple[str, ...] = ()
    if file is not None:
        mapping = mapping or RatingsMapping()
        columns = shaped(source_read(file, mapping.file), mapping, columns_of(())).columns
        arms = tuple(sorted(filter(None, columns["arm"].used()), key=lambda arm: (arm != "baseline", arm))) or ARMS
        sizes = tuple(filter(None, columns["size"].used())) if "size" in columns else ()
    plan = RatingsPlan(
        title="Title of the study",
        question="The question as raters read it",
        arms=arms,
        sizes=sizes,
    )
    return plan_text(plan, ABOUT)
