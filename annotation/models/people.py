"""Who is let in, what raters agreed to, and who left for good.

No table here leads to an arm. What identifies a person stands where it can be emptied (the account, the text of a
declaration); records that must stay hold an evaluator's pseudonym and nothing else.
"""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from annotation.models.items import public_token
from annotation.models.log import LogActor
from annotation.models.raters import Evaluator
from annotation.models.study import RaterKind, Study
from annotation.models.written_once import WrittenOnce

EVALUATORS = "evaluators"  # the group that opens the evaluator's pages and closes all others
STAFF_ROLES = ("owner", "admin", "statistician", "unblinder", "monitor", "auditor")


class Invitation(models.Model):
    """A link that lets people in: raters to a seat of one study, or one of the staff to a role. Its token is hashed."""

    public_id = models.CharField(max_length=24, unique=True, default=public_token)
    token_sha256 = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=20, choices=[(role, role) for role in (EVALUATORS, *STAFF_ROLES)])
    study = models.ForeignKey(Study, null=True, blank=True, on_delete=models.CASCADE, related_name="invitations")
    kind = models.CharField(max_length=12, choices=RaterKind, default=RaterKind.HUMAN)  # of the seat
    anonymous = models.BooleanField(default=True)  # raters may come in without an account
    email = models.EmailField(blank=True)  # whom it was sent to
    uses_allowed = models.PositiveIntegerField(default=1)
    uses = models.PositiveIntegerField(default=0)
    made_by = models.ForeignKey(LogActor, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="an_invitation_is_used_as_often_as_allowed", condition=Q(uses__lte=F("uses_allowed"))
            ),
            models.CheckConstraint(
                name="an_invitation_leads_to_a_seat_or_to_a_role",
                condition=Q(role=EVALUATORS, study__isnull=False) | (~Q(role=EVALUATORS) & Q(study__isnull=True)),
            ),
        ]

    @property
    def state(self) -> str:
        """ "open", "used up", "expired" or "revoked"."""
        if self.revoked_at is not None:
            return "revoked"
        if self.uses >= self.uses_allowed:
            return "used up"
        return "expired" if self.expires_at <= timezone.now() else "open"


class PersonalLink(models.Model):
    """The link by which a rater without a password comes back. Its token is the only key, and is hashed."""

    evaluator = models.OneToOneField(Evaluator, on_delete=models.CASCADE, related_name="personal_link")
    token_sha256 = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(default=timezone.now)


class ConsentRecord(WrittenOnce):
    """What a rater said to one version of a study's consent text. The latest counts."""

    class Answer(models.TextChoices):
        AGREED = "agreed", "agreed"
        DECLINED = "declined", "declined"
        WITHDRAWN = "withdrawn", "withdrawn"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="consents")
    evaluator = models.ForeignKey(Evaluator, on_delete=models.PROTECT, related_name="consents")
    version = models.CharField(max_length=64)  # sha256 of what was shown
    answer = models.CharField(max_length=12, choices=Answer)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["evaluator", "study"], name="consents_of_a_rater")]


class ConflictDeclaration(models.Model):
    """Whether a rater has to do with the models, as declared with the consent. The text goes when the person goes."""

    consent = models.OneToOneField(ConsentRecord, on_delete=models.PROTECT, related_name="conflict")
    has_conflict = models.BooleanField()
    text = models.TextField(blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)


class PersonErasure(WrittenOnce):
    """A rater's person was erased, and what this did to one study's judgments.

    The hashes are `annotation.selectors.judgments_sha256` before and after, so that a study that was unblinded earlier
    can still be checked: nothing but this changed a judgment.
    """

    study = models.ForeignKey(Study, null=True, blank=True, on_delete=models.PROTECT, related_name="erasures")
    evaluator = models.ForeignKey(Evaluator, on_delete=models.PROTECT, related_name="erasures")
    at = models.DateTimeField(default=timezone.now)
    set_aside = models.PositiveIntegerField(default=0)  # answers that no longer count
    texts_erased = models.PositiveIntegerField(default=0)  # answers whose words are gone
    before_sha256 = models.CharField(max_length=64, blank=True)
    after_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["id"]
