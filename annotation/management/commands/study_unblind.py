"""Unblind a closed study: the key opens, once and on record.

Where the protocol asks for two persons, one asks with --as and --reason, and another one answers with --as and
--confirm; each types the password of their account.
"""

import argparse
import getpass
from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management.base import CommandError

from annotation.management.study_command import StudyCommand
from annotation.models import Study
from annotation.services import study_unblind, unblinding_confirm, unblinding_request
from annotation.services.unblinding import unblinders_needed


class Command(StudyCommand):
    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--reason", default="", help="why now; kept with the study")
        parser.add_argument("--as", dest="person", help="user name of who asks or confirms; the password is asked for")
        parser.add_argument("--confirm", action="store_true", help="confirm what another person asked for")

    def handle_study(self, study: Study, **options: Any) -> str:
        person = _person(options["person"]) if options["person"] else None
        if options["confirm"]:
            return f"{unblinding_confirm(study=study, by=_named(person)).slug}: unblinded"
        if unblinders_needed(study) > 1 and person is not None:
            asked = unblinding_request(study=study, reason=options["reason"], by=person)
            return f"{study.slug}: a second person has until {asked.expires_at:%Y-%m-%d %H:%M} UTC to --confirm it"
        return f"{study_unblind(study=study, reason=options['reason'], by=person).slug}: unblinded"


def _person(username: str) -> User:
    user = authenticate(username=username, password=getpass.getpass(f"Password of {username}: "))
    if not isinstance(user, User):
        raise CommandError(f"That is not the password of an account {username!r}.")
    return user


def _named(person: User | None) -> User:
    if person is None:
        raise CommandError("Say who confirms: --as USERNAME.")
    return person
