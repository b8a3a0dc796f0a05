"""From judgments and a plan to a report: pure, typed, the same bytes for the same input."""

from analysis.reports.build import report_make
from analysis.reports.document import AnalysisPlan, FlowRow, RejectedRow, Report, TimeRow
from analysis.reports.thresholds import Thresholds
from analysis.reports.version import code_version

__all__ = ["AnalysisPlan", "FlowRow", "RejectedRow", "Report", "Thresholds", "TimeRow", "code_version", "report_make"]
