"""`ratings_analyze FILE --plan plan.toml --out DIR`: the report of ratings that were made elsewhere. No database."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analysis.export import FolderInUse, export_write, report_files
from analysis.export.ratings import ratings_sources
from analysis.ratings import RatingsRefused, mapping_read, plan_read, plan_template, ratings_tables


class Command(BaseCommand):
    help = "Analyse ratings from a CSV or Parquet file as a study's are analysed; needs no study and no database."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="ratings: .csv (any separator) or .parquet")
        parser.add_argument("--plan", type=Path, help="the plan of the analysis (TOML)")
        parser.add_argument("--out", type=Path, help="folder to write, replaced as a whole; or a file ending in .zip")
        parser.add_argument("--mapping", type=Path, help="other names, words or a matrix as our columns (TOML)")
        parser.add_argument("--raters", type=Path, help="catch trials and times by rater, as raters.csv of an export")
        parser.add_argument("--strata", type=Path, help="neurons of each layer, as strata.csv of an export")
        parser.add_argument("--write-plan", type=Path, metavar="PLAN", help="write a plan to start from, and stop")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["write_plan"]:
                self._write_plan(options)
            else:
                self._analyse(options)
        except (RatingsRefused, FolderInUse, OSError) as error:
            raise CommandError(str(error)) from error

    def _write_plan(self, options: dict[str, Any]) -> None:
        target: Path = options["write_plan"]
        if target.exists():
            raise CommandError(f"{target} is there already; a plan is never written over. Give another name.")
        mapping = mapping_read(options["mapping"]) if options["mapping"] else None
        target.write_text(plan_template(options["file"], mapping), encoding="utf-8")
        self.stdout.write(f"A plan to fill in was written to {target}. No judgment was read.")

    def _analyse(self, options: dict[str, Any]) -> None:
        missing = [name for name in ("file", "plan", "out") if options[name] is None]
        if missing:
            needed = "FILE --plan plan.toml --out DIR"
            raise CommandError(f"Give {needed}, or --write-plan plan.toml to begin; missing: {', '.join(missing)}.")
        mapping = mapping_read(options["mapping"]) if options["mapping"] else None
        plan = plan_read(options["plan"])
        tables = ratings_tables(options["file"], plan, mapping, raters=options["raters"], strata=options["strata"])
        given = {} if options["mapping"] is None else {"mapping.toml": options["mapping"].read_bytes()}
        sources = ratings_sources(tables, licence=plan.data_licence, given=given)
        for note in tables.notes:
            self.stdout.write(note)
        export_write(options["out"], plan.study, report_files(sources))
        primary = sources.report.primary
        if primary is not None and primary.defined:
            limits = f" [{primary.low:.4f}, {primary.high:.4f}]" if primary.bounded else f" ({primary.refused})"
            self.stdout.write(f"Primary: {primary.id} = {primary.estimate:.4f}{limits}, {primary.method}.")
        label = f" ({sources.report.rater_label})" if plan.rater_kind != "human" else ""
        self.stdout.write(f"Report of “{plan.title}”{label} written to {options['out']}.")
