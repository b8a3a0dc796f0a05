"""Includes only. Who may enter stands in evalsite.access.DOORS."""

from allauth.account.views import logout
from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

from analysis.views import plan
from evalsite.api import api, api_unknown
from evalsite.api_reference import api_reference
from evalsite.people.sign_in import SignIn
from evalsite.views import home

urlpatterns = [
    path("", home, name="home"),
    path("accounts/language/", set_language, name="set_language"),
    path("accounts/login/", SignIn.as_view(), name="login"),
    path("accounts/logout/", logout, name="logout"),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/3rdparty/", include("allauth.socialaccount.urls")),
    path("accounts/", include("allauth.socialaccount.providers.openid_connect.urls")),
    path("accounts/sessions/", include("allauth.usersessions.urls")),
    path("", include("evalsite.people.urls")),
    path("rate/", include("annotation.evaluator.urls")),
    path("studies/", include("annotation.staff.urls")),
    path("verify/", include("annotation.public.urls")),
    path("reports/", include("analysis.urls")),
    path("plan/", plan, name="plan"),
    path("enter/", include("annotation.crowd.urls")),
    path("api/docs/", api_reference, name="api_docs"),
    path("api/", api.urls),
    path("api/<path:rest>", api_unknown, name="api_unknown"),
    path("neurons/", include("neurons.urls")),
    path("admin/", admin.site.urls),
]
