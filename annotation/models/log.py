"""The log: who did what, when and why, in chains that nobody can change unseen.

A line of the log names nobody. It holds the public id of a `LogActor`, and only that row leads to an account; when an
account is erased the row stays, leads nowhere, and the chain still holds. Lines are written by
`annotation.audit.event_append` alone.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotation.models.items import public_token
from annotation.models.study import Study
from annotation.models.written_once import WrittenOnce

NO_HASH = "0" * 64  # stands before the first line of a chain


class LogActor(models.Model):
    """Somebody who acts. The log knows this public id; the account behind it can be erased."""

    public_id = models.CharField(max_length=24, unique=True, default=public_token)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return self.user.get_username() if self.user else f"an erased account ({self.public_id})"


class LogChain(models.Model):
    """One chain: a study's, or the site's. Its length and last hash stand here; adding a line locks this row."""

    SITE = "site"

    name = models.CharField(max_length=40, unique=True)  # "site", or "study:" and the row's number
    public_id = models.CharField(max_length=24, unique=True, default=public_token)  # stands in every line
    study = models.OneToOneField(Study, null=True, blank=True, on_delete=models.PROTECT, related_name="log_chain")
    length = models.PositiveIntegerField(default=0)
    head_sha256 = models.CharField(max_length=64, default=NO_HASH)

    def __str__(self) -> str:
        return self.name


class StudyEvent(WrittenOnce):
    """One line of a study's log, or of the site's (no study). Rows are added, never changed.

    `record` is the line as it was hashed; the other columns say the same, to be searched and shown.
    """

    chain = models.ForeignKey(LogChain, on_delete=models.PROTECT, related_name="events")
    number = models.PositiveIntegerField()  # 1, 2, … in its chain
    study = models.ForeignKey(Study, null=True, blank=True, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(LogActor, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=120)  # groups of the account at the time; "command" for a command on the server
    action = models.CharField(max_length=40)
    object_kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=80)  # the object's public id
    old = models.JSONField(null=True, blank=True)
    new = models.JSONField(null=True, blank=True)
    reason = models.TextField(blank=True)
    details = models.JSONField(default=dict)
    record = models.TextField()  # canonical JSON of all of the above and of the hash before it
    sha256 = models.CharField(max_length=64)  # of `record`

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["chain", "number"], name="one_line_per_chain_and_number"),
            models.CheckConstraint(name="lines_are_counted_from_one", condition=Q(number__gte=1)),
        ]
