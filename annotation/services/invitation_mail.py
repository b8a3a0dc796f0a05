"""Mails that carry a link."""

from django.core.mail import send_mail
from django.utils.translation import gettext as _

from annotation.models import Study


def invitation_mail(*, to: str, link: str, study: Study | None) -> None:
    """Send an invitation."""
    what = _("You are invited to rate in the study “%(title)s”.") % {"title": study.title} if study else ""
    what = what or _("You are invited to work on studies at Blindscope.")
    _send(to, _("Your invitation"), what, _("Open this link to take part:"), link)


def personal_link_mail(*, to: str, link: str) -> None:
    """Send a rater the link by which to come back."""
    keep = _("This is your personal link. Keep it: whoever has it rates in your name.")
    _send(to, _("Your personal link"), keep, _("Open it to go on rating:"), link)


def _send(to: str, subject: str, *paragraphs: str) -> None:
    send_mail(f"[Blindscope] {subject}", "\n\n".join(paragraphs) + "\n", None, [to])
