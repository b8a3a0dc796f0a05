"""The page that belongs to no app: the door."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from evalsite.access import EVALUATOR, ROLES, STATISTICIAN, roles_of


def home(request: HttpRequest) -> HttpResponse:
    """Everyone goes straight to where their work is."""
    if not request.user.is_authenticated:
        return redirect("login")
    roles = roles_of(request.user)
    if EVALUATOR in roles:
        return redirect("evaluator:home")
    if roles == {STATISTICIAN}:
        return redirect("analysis:list")
    if roles:
        return redirect("staff:list")
    return render(request, "no_role.html", {"roles": sorted(ROLES)}, status=403)
