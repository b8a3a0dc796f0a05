"""A report as words, tables, figures and files."""

from analysis.export.charts import report_figures
from analysis.export.files import EVERYTHING, FileSource, content_type_of, file_notes, report_files
from analysis.export.folder import FolderInUse, export_write, folder_write, zip_bytes
from analysis.export.page import page_context
from analysis.export.sources import Sources

__all__ = [
    "EVERYTHING",
    "FileSource",
    "FolderInUse",
    "Sources",
    "content_type_of",
    "export_write",
    "file_notes",
    "folder_write",
    "page_context",
    "report_figures",
    "report_files",
    "zip_bytes",
]
