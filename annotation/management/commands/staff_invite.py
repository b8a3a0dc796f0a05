"""Print a link by which one person makes an account with a role, such as the first owner of a site."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand
from django.urls import reverse

from annotation.management.study_command import refusals_told
from annotation.models import STAFF_ROLES
from annotation.services.invitations import invitation_create


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("role", choices=STAFF_ROLES)
        parser.add_argument("--url", required=True, help="address of the site, such as https://study.example.org")
        parser.add_argument("--days", type=int, default=7, help="until it expires (default 7)")

    def handle(self, *args: Any, role: str, url: str, days: int, **options: Any) -> None:
        with refusals_told():
            made = invitation_create(role=role, days=days)
        self.stdout.write(url.rstrip("/") + reverse("people:join", args=[made.token]))
