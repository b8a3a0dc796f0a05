"""Compare a study's submissions with the provider's list, and settle what can be settled."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from django.db import transaction
from django.utils import timezone

from annotation.models import CrowdIntake, CrowdSubmission
from annotation.providers.prolific_api import RemoteSubmission
from annotation.services.crowd import PROVIDER_SAYS, Status, code_of, provider_status_apply
from annotation.services.crowd_ids import id_hash
from annotation.services.log import User, event_add

PAID_FOR = ("AWAITING REVIEW", "APPROVED")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the provider and this site say differently. Names nobody: `submission` is our own number."""

    submission: int | None  # None: the provider knows of one that never came here
    here: str
    there: str
    problem: str
    settled: bool = False


@transaction.atomic
def crowd_reconcile(
    *, intake: CrowdIntake, remote: Iterable[RemoteSubmission], repair: bool, by: User = None
) -> list[Difference]:
    """All differences; with `repair`, the provider's word is taken where it says that somebody left."""
    there = {id_hash(intake.provider, row.session): row for row in remote}
    here = {row.session_hash: row for row in CrowdSubmission.objects.filter(study_id=intake.study_id)}
    found = [_never_came(row) for session, row in there.items() if session not in here]
    for session, row in here.items():
        found += _unknown(row) if session not in there else _compared(intake, row, there[session], repair, by)
    intake.reconciled_at = timezone.now()
    intake.differences = [asdict(difference) for difference in found if not difference.settled]
    intake.save(update_fields=["reconciled_at", "differences"])
    settled = sum(difference.settled for difference in found)
    event_add(intake.study, by, "submissions reconciled", compared=len(here), differences=len(found), settled=settled)
    return found


def _never_came(row: RemoteSubmission) -> Difference:
    return Difference(None, "", row.status, "The provider has a submission that never came in here.")


def _unknown(row: CrowdSubmission) -> list[Difference]:
    if row.person.erased_at is not None:
        return []
    forged = "" if row.was_signed else " Its entry was not signed, so it may be forged."
    return [Difference(row.pk, row.status, "", f"The provider does not know this submission.{forged}")]


def _compared(
    intake: CrowdIntake, row: CrowdSubmission, remote: RemoteSubmission, repair: bool, by: User
) -> list[Difference]:
    found = []
    if remote.status != row.provider_status:
        before = row.provider_status or "nothing yet"
        if repair:
            row, _ = provider_status_apply(submission=row, status=remote.status, at=timezone.now(), by=by)
        problem = f"The last that was heard of it here is: {before}."
        found.append(Difference(row.pk, row.status, remote.status, problem, settled=repair))
    return found + [
        Difference(row.pk, row.status, remote.status, problem) for problem in _problems(intake, row, remote)
    ]


def _problems(intake: CrowdIntake, row: CrowdSubmission, remote: RemoteSubmission) -> list[str]:
    """What a person has to look at."""
    code = code_of(intake, Status.COMPLETE)
    complete = row.status == Status.COMPLETE
    checks = {
        "Complete here, but the provider says that the participant left.": complete and remote.status in PROVIDER_SAYS,
        "Handed in at the provider, but not complete here.": row.status == Status.STARTED and remote.status in PAID_FOR,
        "Handed in with the code for complete work, but not complete here.": bool(code)
        and remote.code == code
        and not complete,
        "Complete here, but handed in with another code.": complete and bool(remote.code) and remote.code != code,
    }
    return [problem for problem, applies in checks.items() if applies]
