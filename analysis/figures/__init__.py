"""Report numbers as SVG: pure, deterministic, readable in black and white and on a dark page."""

from analysis.figures.flow import Column, Step, flow_figure
from analysis.figures.forest import COEFFICIENTS, DIFFERENCES, INDICES, SHARES, DifferenceRow, Scale, forest_figure
from analysis.figures.grid import GridRow, grid_figure
from analysis.figures.headline import headline_figure
from analysis.figures.lines import Point, lines_figure
from analysis.figures.planned import curve_figure
from analysis.figures.times import TimeBar, times_figure

__all__ = [
    "COEFFICIENTS",
    "DIFFERENCES",
    "INDICES",
    "SHARES",
    "Column",
    "DifferenceRow",
    "GridRow",
    "Point",
    "Scale",
    "Step",
    "TimeBar",
    "curve_figure",
    "flow_figure",
    "forest_figure",
    "grid_figure",
    "headline_figure",
    "lines_figure",
    "times_figure",
]
