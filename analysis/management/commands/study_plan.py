"""`study_plan`: expected interval widths, power and cost of a planned study, by simulation."""

from argparse import ArgumentParser
from dataclasses import fields
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analysis.export.cells import Table
from analysis.export.planned import cost_facts, plan_tables
from analysis.planner import (
    Assumptions,
    PlanRefused,
    cost_of,
    fractions_read,
    implied_agreement,
    most_neurons,
    plan_curve,
    plan_expected,
)
from analysis.planner.assumptions import WHOLE

NUMBERS = [field for field in fields(Assumptions) if field.name != "fractions"]


class Command(BaseCommand):
    help = "How wide intervals will be and how likely a difference shows, before a study is launched."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--fractions", default="", help='as in "baseline=0.35, solu=0.60"; others against the first'
        )
        for field in NUMBERS:
            parser.add_argument(
                f"--{field.name.replace('_', '-')}",
                type=int if field.name in WHOLE else float,
                default=field.default,
                help=f"default {field.default}",
            )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            values = {field.name: options[field.name] for field in NUMBERS}
            if options["fractions"]:
                values["fractions"] = fractions_read(options["fractions"])
            assumed = Assumptions(**values)
        except PlanRefused as refusal:
            raise CommandError(str(refusal)) from None
        agreement = implied_agreement(assumed)
        for table in plan_tables(assumed, plan_expected(assumed), agreement, plan_curve(assumed)):
            self.stdout.write(_printed(table))
        for name, told in cost_facts(assumed, cost_of(assumed), most_neurons(assumed)):
            self.stdout.write(f"{name}: {told}")


def _printed(table: Table) -> str:
    """The table as text, columns lined up."""
    rows = [[cell.text for cell in row] for row in (table.head, *table.rows)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.head))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([table.title, *lines, table.note, ""])
