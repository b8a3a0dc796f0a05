"""An owner's pages: who is on the staff, in which roles, and who is invited."""

from typing import cast

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.models import Invitation
from annotation.services.accounts import account_close, account_open, roles_set, second_factor_log, staff_accounts
from annotation.services.errors import StudyRefused
from annotation.services.invitation_mail import invitation_mail
from annotation.services.invitations import invitation_create, invitation_revoke
from evalsite.access import roles_of
from evalsite.people.forms import InviteForm, RolesForm
from evalsite.reauthentication import asks_again


@require_safe
def accounts(request: HttpRequest) -> HttpResponse:
    factors = Authenticator.objects.filter(user=OuterRef("pk")).exclude(type=Authenticator.Type.RECOVERY_CODES)
    people = staff_accounts().annotate(second_factor=Exists(factors)).prefetch_related("groups")
    page = {
        "people": [(person, sorted(roles_of(person))) for person in people],
        "invitations": Invitation.objects.filter(study=None)[:50],
    }
    return render(request, "people/accounts.html", page)


@require_http_methods(["GET", "POST"])
@never_cache
@asks_again
def invite(request: HttpRequest) -> HttpResponse:
    """The link is in this one answer (and in a mail), and nowhere else."""
    form = InviteForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "people/invite.html", {"form": form})
    made = invitation_create(**form.cleaned_data, by=cast(User, request.user))
    link = request.build_absolute_uri(reverse("people:join", args=[made.token]))
    if email := form.cleaned_data["email"]:
        invitation_mail(to=email, link=link, study=None)
    return render(request, "people/invited.html", {"link": link, "invitation": made.row, "email": email})


@require_POST
def revoke(request: HttpRequest, public_id: str) -> HttpResponse:
    invitation = get_object_or_404(Invitation, public_id=public_id, study=None)
    invitation_revoke(invitation=invitation, by=cast(User, request.user))
    messages.success(request, _("That link lets nobody in any more."))
    return redirect("people:accounts")


@require_http_methods(["GET", "POST"])
@asks_again
def account(request: HttpRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(staff_accounts(), pk=pk)
    act = request.POST.get("act", "") if request.method == "POST" else ""
    form = RolesForm(request.POST if act == "roles" else None, account=person)
    if act and _done(request, person, act, form):
        return redirect("people:accounts")
    page = {"person": person, "form": form, "second_factor": is_mfa_enabled(person)}
    return render(request, "people/account.html", page)


def _done(request: HttpRequest, person: User, act: str, form: RolesForm) -> bool:
    """Take the step; a refusal goes into the form."""
    by = cast(User, request.user)
    try:
        if act == "roles" and form.is_valid():
            roles_set(account=person, roles=form.cleaned_data["roles"], by=by)
        elif act == "close":
            account_close(account=person, by=by)
        elif act == "open":
            account_open(account=person, by=by)
        elif act == "factor":
            Authenticator.objects.filter(user=person).delete()
            second_factor_log(account=person, by=by)
        else:
            return False
    except StudyRefused as refusal:
        messages.error(request, str(refusal))
        return False
    messages.success(request, _("Saved."))
    return True
