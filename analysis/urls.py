from django.urls import path

from analysis import views

app_name = "analysis"

urlpatterns = [
    path("", views.reports, name="list"),
    path("<slug:slug>/", views.report, name="report"),
    path("<slug:slug>/files/<str:file>", views.download, name="download"),
]
