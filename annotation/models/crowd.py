"""Raters who come from a crowd provider: how they are let in, who came, and what the provider says of them.

A provider's id of a person never stands beside answers or pseudonyms: it is here, hashed unless the intake says
otherwise, and erasing it changes nothing of the study.
"""

import secrets

from django.conf import settings
from django.db import models

from annotation.models.raters import Evaluator, Seat
from annotation.models.study import Study
from annotation.models.written_once import WrittenOnce


def entry_token() -> str:
    """The random part of an entry address."""
    return secrets.token_urlsafe(18)


class Provider(models.TextChoices):
    PROLIFIC = "prolific", "Prolific"
    GENERIC = "generic", "another provider, by URL parameters"


class CrowdIntake(models.Model):
    """How a study takes in raters from one provider."""

    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="intake")
    provider = models.CharField(max_length=12, choices=Provider, default=Provider.PROLIFIC)
    token = models.CharField(max_length=32, unique=True, default=entry_token)
    is_open = models.BooleanField(default=True)
    # Names of the URL parameters, and the study's id at the provider (empty: any is taken).
    person_parameter = models.CharField(max_length=40, default="PROLIFIC_PID")
    study_parameter = models.CharField(max_length=40, default="STUDY_ID", blank=True)
    session_parameter = models.CharField(max_length=40, default="SESSION_ID", blank=True)
    external_study = models.CharField(max_length=80, blank=True)
    # Entry signed by the provider. Without it anybody can write the parameters.
    signed = models.BooleanField(default=True)
    token_parameter = models.CharField(max_length=40, default="prolific_token", blank=True)
    audience = models.CharField(max_length=200, blank=True)  # our host name, which the provider signs for
    # The way back. {code} in the address stands for the code of the outcome.
    return_url = models.CharField(max_length=300, blank=True)
    code_complete = models.CharField(max_length=60, blank=True)
    code_screened_out = models.CharField(max_length=60, blank=True)
    code_no_consent = models.CharField(max_length=60, blank=True)
    code_timed_out = models.CharField(max_length=60, blank=True)
    newcomers_only = models.BooleanField(default=False)  # nobody who sat in an earlier study of this site
    keep_ids = models.BooleanField(default=False)  # keep the provider's ids readable beside their hash
    reward = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)  # per complete submission
    currency = models.CharField(max_length=3, default="GBP")
    reconciled_at = models.DateTimeField(null=True, blank=True)
    differences = models.JSONField(default=list)  # what the last reconciliation found and could not settle
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.get_provider_display()} → {self.study}"


class CrowdPerson(models.Model):
    """A person of a provider, and the evaluator who that is here."""

    provider = models.CharField(max_length=12, choices=Provider)
    id_hash = models.CharField(max_length=64)  # keyed hash of the provider's id
    external_id = models.CharField(max_length=120, blank=True)  # only if an intake keeps ids
    # None until this person sits down somewhere.
    evaluator = models.OneToOneField(
        Evaluator, null=True, blank=True, on_delete=models.PROTECT, related_name="crowd_person"
    )
    first_seen_at = models.DateTimeField(auto_now_add=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "id_hash"], name="one_evaluator_per_person_of_a_provider"),
        ]


class CrowdSubmission(models.Model):
    """One person's participation in one study."""

    class Status(models.TextChoices):
        STARTED = "started", "at work"
        COMPLETE = "complete", "complete"
        FULL = "full", "no seat was free"
        REPEAT = "repeat", "took part in an earlier study"
        SCREENED_OUT = "screened_out", "did not pass the training"
        NO_CONSENT = "no_consent", "did not consent"
        RETURNED = "returned", "gave the place back"
        TIMED_OUT = "timed_out", "ran out of time"
        LEFT = "left", "left the seat here"

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="submissions")
    person = models.ForeignKey(CrowdPerson, on_delete=models.PROTECT, related_name="submissions")
    session_hash = models.CharField(max_length=64, db_index=True)  # keyed hash of the provider's submission id
    session_id = models.CharField(max_length=120, blank=True)  # only if the intake keeps ids
    seat = models.ForeignKey(Seat, null=True, blank=True, on_delete=models.PROTECT, related_name="submissions")
    status = models.CharField(max_length=16, choices=Status, default=Status.STARTED)
    was_signed = models.BooleanField()  # the entry bore the provider's signature
    entered_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    code_shown = models.CharField(max_length=60, blank=True)
    # What the provider last said, and when it said so.
    provider_status = models.CharField(max_length=24, blank=True)
    provider_status_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["study", "person"], name="one_submission_per_person_and_study"),
        ]


class CrowdEvent(WrittenOnce):
    """A message of a provider that was taken in. Its body is not kept, because it names a person."""

    provider = models.CharField(max_length=12, choices=Provider)
    event_id = models.CharField(max_length=120)
    event_type = models.CharField(max_length=60)
    status = models.CharField(max_length=24, blank=True)
    submission = models.ForeignKey(
        CrowdSubmission, null=True, blank=True, on_delete=models.PROTECT, related_name="events"
    )
    sent_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)
    outcome = models.CharField(max_length=120)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="one_row_per_event_of_a_provider"),
        ]
