"""`manage.py demo`: build everything that is not there yet, then serve it."""

import time
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from evalsite.demo.build import STEPS, Step
from evalsite.demo.checks import DemoRefused, check_disk, check_port
from evalsite.demo.serve import Stack
from evalsite.people.sign_in import DEMO_LOGINS


class Command(BaseCommand):
    help = "Runs the whole experiment on this machine: corpus, networks, harvest, two studies, web server and worker."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--no-serve", action="store_true", help="build everything and stop")

    def handle(self, *args: Any, port: int, no_serve: bool, **options: Any) -> None:
        if not settings.DEMO_SITE:
            raise CommandError("The demo has known passwords. Start it with BLINDSCOPE_DEMO=True, or by: make demo")
        started = time.monotonic()
        try:
            check_disk(settings.DATA_DIR)
            if no_serve:
                self._build(STEPS, None)
                self._say_built(started)
            else:
                check_port(port)
                self._serve(port, started)
        except DemoRefused as refusal:
            raise CommandError(str(refusal)) from None
        except KeyboardInterrupt:
            self.stdout.write("\nStopped. Nothing is lost: the same command goes on where this one was.")

    def _build(self, steps: Sequence[Step], stack: Stack | None) -> None:
        for step in steps:
            self.stdout.write(f"[{STEPS.index(step) + 1}/{len(STEPS)}] {step.title} …")
            if stack is not None and step.needs_server:
                stack.wait_until_it_answers()
            step.run(stack.address if stack else None)

    def _say_built(self, started: float) -> None:
        self.stdout.write(f"Everything is there ({time.monotonic() - started:.0f} s).")

    def _serve(self, port: int, started: float) -> None:
        # A worker looks into the database as soon as it starts, so the database comes first.
        self._build(STEPS[:1], None)
        with Stack(port) as stack:
            self._build(STEPS[1:], stack)
            self._say_built(started)
            stack.wait_until_it_answers()
            self.stdout.write(self.style.SUCCESS(f"\nBlindscope is at {stack.address}\n"))
            for role, name, password in DEMO_LOGINS:
                self.stdout.write(f"  {role:<11} {name:<17} {password}")
            self.stdout.write("\nCtrl-C stops it; make demo starts it again with its data; make demo-reset wipes it.")
            stack.wait_until_stopped()
        self.stdout.write("\nStopped. The data is kept.")
