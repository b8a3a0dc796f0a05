"""What the site's own log hears of by itself: staff who sign in, and networks that strangers may look at."""

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_save

from annotation.models import EVALUATORS
from annotation.services.log import event_add, person_ref
from neurons.models import Network


def connect() -> None:
    user_logged_in.connect(_signed_in, dispatch_uid="site_log")
    post_save.connect(_network_saved, sender=Network, dispatch_uid="site_log")


def _signed_in(user: User, **_: Any) -> None:
    """Raters' comings and goings are nobody's business."""
    if not user.groups.filter(name=EVALUATORS).exists():
        event_add(None, user, "signed in", object=person_ref(user))


def _network_saved(instance: Network, created: bool, update_fields: frozenset[str] | None, **_: Any) -> None:
    if not created and "is_public" in (update_fields or ()):
        action = "network made public" if instance.is_public else "network made private"
        event_add(None, None, action, object=("network", instance.name), new=instance.is_public)
