"""Pages of reports, and of planning before there is anything to report."""

from analysis.views.compare import compare
from analysis.views.neurons import neurons
from analysis.views.plan import plan
from analysis.views.reports import download, report, reports

__all__ = ["compare", "download", "neurons", "plan", "report", "reports"]
