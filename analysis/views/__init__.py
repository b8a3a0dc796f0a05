"""Pages of reports, and of planning before there is anything to report."""

from analysis.views.plan import plan
from analysis.views.reports import download, report, reports

__all__ = ["download", "plan", "report", "reports"]
