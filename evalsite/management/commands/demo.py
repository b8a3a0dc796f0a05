"""`manage.py demo`: build everything that is not there yet, then serve it."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from evalsite.demo.build import STEPS
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
        try:
            check_disk(settings.DATA_DIR)
            if no_serve:
                self._build(None)
            else:
                check_port(port)
                self._serve(port)
        except DemoRefused as refusal:
            raise CommandError(str(refusal)) from None
        except KeyboardInterrupt:
            self.stdout.write("\nStopped. Nothing is lost: the same command goes on where this one was.")

    def _build(self, stack: Stack | None) -> None:
        started = time.monotonic()
        for number, step in enumerate(STEPS, start=1):
            self.stdout.write(f"[{number}/{len(STEPS)}] {step.title} …")
            if stack is not None and step.needs_server:
                stack.wait_until_it_answers()
            step.run(stack.address if stack else None)
        self.stdout.write(f"Everything is there ({time.monotonic() - started:.0f} s).")

    def _serve(self, port: int) -> None:
        with Stack(port) as stack:
            self._build(stack)
            stack.wait_until_it_answers()
            self.stdout.write(self.style.SUCCESS(f"\nBlindscope is at {stack.address}\n"))
            for role, name, password in DEMO_LOGINS:
                self.stdout.write(f"  {role:<11} {name:<17} {password}")
            self.stdout.write("\nCtrl-C stops it; make demo starts it again with its data; make demo-reset wipes it.")
            stack.wait_until_stopped()
        self.stdout.write("\nStopped. The data is kept.")
