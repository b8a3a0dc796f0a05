"""A report as words, tables, figures and files."""

from analysis.export.charts import report_figures
from analysis.export.files import EVERYTHING, FILE_NOTES, FileSource, content_type_of, report_files
from analysis.export.folder import FolderInUse, folder_write, zip_bytes
from analysis.export.page import page_context
from analysis.export.sources import Sources

__all__ = [
    "EVERYTHING",
    "FILE_NOTES",
    "FileSource",
    "FolderInUse",
    "Sources",
    "content_type_of",
    "folder_write",
    "page_context",
    "report_figures",
    "report_files",
    "zip_bytes",
]
