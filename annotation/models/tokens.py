"""Keys for programs: API tokens, and the programs that rate."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotation.models.raters import Evaluator, Seat
from annotation.models.study import Study


class TokenRole(models.TextChoices):
    """What the bearer of a token may do in its one study. None of them opens the key."""

    EVALUATOR = "evaluator", "rate on one seat"
    CREATOR = "creator", "make new studies"
    ADMIN = "admin", "lead the study"
    MONITOR = "monitor", "watch its progress"
    AUDITOR = "auditor", "read its log and protocol"
    STATISTICIAN = "statistician", "read its report after unblinding"


class ApiToken(models.Model):
    """A key to the API, for one study and one role. The key itself is shown once; its hash is kept."""

    sha256 = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=12)  # its first characters, to tell one from another in a list
    label = models.CharField(max_length=80)
    role = models.CharField(max_length=12, choices=TokenRole)
    study = models.ForeignKey(Study, null=True, blank=True, on_delete=models.CASCADE, related_name="tokens")
    seat = models.ForeignKey(Seat, null=True, blank=True, on_delete=models.PROTECT, related_name="tokens")
    # Who rates with it. A seat that changes hands leaves the earlier rater's token without a seat.
    evaluator = models.ForeignKey(Evaluator, null=True, blank=True, on_delete=models.PROTECT, related_name="tokens")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)  # last use, to the minute

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="a_token_rates_on_a_seat_or_serves_staff",
                condition=(
                    Q(role="evaluator", seat__isnull=False, evaluator__isnull=False, study__isnull=False)
                    | Q(role="creator", seat__isnull=True, study__isnull=True)
                    | (~Q(role__in=["evaluator", "creator"]) & Q(seat__isnull=True, study__isnull=False))
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hint}… ({self.label})"


class MachineRater(models.Model):
    """What a program that rates was declared to be."""

    evaluator = models.OneToOneField(Evaluator, on_delete=models.PROTECT, related_name="machine")
    name = models.CharField(max_length=80)
    version = models.CharField(max_length=40)
    model = models.CharField(max_length=120, blank=True)  # the language model behind it, if there is one
    description = models.TextField(blank=True)  # prompt, settings, whatever a reader needs to repeat it
    declared_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    declared_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def declared(self) -> str:
        """The whole declaration in one phrase."""
        return f"{self} ({self.model})" if self.model else str(self)
