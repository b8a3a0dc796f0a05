"""German pages: numbers with a point and without groups, as in English; dates in fields as browsers send them.

The same numbers stand in styles, drawings, data for scripts and fields of forms, and they must be equal to those of
reports and files, whoever reads them.
"""

DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = ""
NUMBER_GROUPING = 0
DATE_INPUT_FORMATS = ["%Y-%m-%d"]
DATETIME_INPUT_FORMATS = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"]
