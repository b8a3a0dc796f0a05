"""What an export is made from when the ratings were made elsewhere."""

from analysis.export.sources import Facts, Sources, Tables
from analysis.ratings import RatingsTables, ratings_report
from annotation.design.licence import NO_LICENCE

ELSEWHERE = Facts(frozen_at="", closed_at="", unblinded_at="", unblinded_by="", unblinded_because="", leaks="")


def ratings_sources(
    tables: RatingsTables, *, licence: str = NO_LICENCE, given: dict[str, bytes] | None = None
) -> Sources:
    """Report and tables, ready for `report_files`.

    Parameters
    ----------
    licence : str
        Of the data: a key of `annotation.design.licence.LICENCE_TEXTS`.
    given : dict of str to bytes, optional
        Files to hand out again as they were, by name.
    """
    return Sources(
        report=ratings_report(tables),
        facts=ELSEWHERE,
        tables=lambda: Tables(tables.judgments, tables.neurons, tables.raters, tables.strata),
        licence=licence,
        notes=tables.notes,
        given=given or {},
    )
