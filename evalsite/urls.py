"""Includes only. Who may enter which namespace stands in evalsite.access.DOORS."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from evalsite.views import SignIn, home

urlpatterns = [
    path("", home, name="home"),
    path("accounts/login/", SignIn.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("rate/", include("annotation.evaluator.urls")),
    path("studies/", include("annotation.staff.urls")),
    path("reports/", include("analysis.urls")),
    path("neurons/", include("neurons.urls")),
    path("admin/", admin.site.urls),
]
