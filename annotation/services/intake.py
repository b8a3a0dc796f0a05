"""How a study takes in raters from a crowd provider."""

import re
from typing import Any

from django.conf import settings
from django.db import transaction

from annotation.models import CrowdIntake, Provider, Study
from annotation.providers.addresses import CODE, address_problem
from annotation.services.errors import IntakeRefused
from annotation.services.log import User, event_add

PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")
PARAMETERS = ("person_parameter", "study_parameter", "session_parameter", "token_parameter")
CODES = ("code_complete", "code_screened_out", "code_no_consent", "code_timed_out")
SETTABLE = (
    "provider", "is_open", *PARAMETERS, "external_study", "signed", "audience", "return_url", *CODES,
    "newcomers_only", "keep_ids", "reward", "currency",
)  # fmt: skip


@transaction.atomic
def intake_save(*, study: Study, by: User = None, **values: Any) -> CrowdIntake:
    """Set up or change how a study takes in raters. May change while a study runs; every change is logged."""
    row = CrowdIntake.objects.select_for_update().filter(study=study).first() or CrowdIntake(study=study, made_by=by)
    before = {name: getattr(row, name) for name in SETTABLE} if row.pk else {}
    for name in SETTABLE:
        if name in values:
            value = values[name]
            setattr(row, name, value.strip() if isinstance(value, str) else value)
    _check(row)
    row.save()
    changed = sorted(name for name in SETTABLE if before.get(name) != getattr(row, name))
    event_add(study, by, "crowd intake changed" if before else "crowd intake made", fields=changed)
    return row


def _check(row: CrowdIntake) -> None:
    """Refuse what would let anybody in, send participants elsewhere, or tell two outcomes by one code."""
    for name in PARAMETERS:
        value = getattr(row, name)
        if not PARAMETER.fullmatch(value) and (value or name == "person_parameter"):
            raise IntakeRefused(f"Received {value!r}; a parameter's name has letters, digits and _ . - only.", name)
    named = [getattr(row, name) for name in PARAMETERS if getattr(row, name)]
    if len(set(named)) < len(named):
        raise IntakeRefused(f"Received {', '.join(named)}; each parameter needs its own name.", "person_parameter")
    if row.signed and (not row.token_parameter or not row.audience):
        raise IntakeRefused("A signed entry needs the name of its parameter and our host name.", "audience")
    if row.signed and row.provider != Provider.PROLIFIC:
        raise IntakeRefused("Only Prolific signs entries; switch that off for another provider.", "signed")
    _check_way_back(row)
    if row.reward is not None and row.reward < 0:
        raise IntakeRefused(f"Received {row.reward}; a reward is not negative.", "reward")
    if not re.fullmatch("[A-Z]{3}", row.currency):
        raise IntakeRefused(f"Received {row.currency!r}; give three capital letters, such as GBP.", "currency")


def _check_way_back(row: CrowdIntake) -> None:
    problem = address_problem(row.return_url, settings.CROWD_RETURN_HOSTS) if row.return_url else None
    if problem:
        raise IntakeRefused(problem, "return_url")
    codes = {name: getattr(row, name) for name in CODES if getattr(row, name)}
    for name, code in codes.items():
        if not CODE.fullmatch(code):
            raise IntakeRefused(f"Received {code!r}; a code has letters, digits, _ and - only.", name)
        if name != "code_complete" and code == row.code_complete:
            raise IntakeRefused(f"Received {code!r} twice; the code for complete work must stand for that alone.", name)
