"""Report numbers as SVG: pure, deterministic, readable in black and white and on a dark page."""

from analysis.figures.forest import DifferenceRow, forest_figure
from analysis.figures.headline import headline_figure
from analysis.figures.planned import curve_figure
from analysis.figures.times import TimeBar, times_figure

__all__ = ["DifferenceRow", "TimeBar", "curve_figure", "forest_figure", "headline_figure", "times_figure"]
