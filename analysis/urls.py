from django.urls import path

from analysis import views

app_name = "analysis"

urlpatterns = [
    path("", views.reports, name="list"),
    path("-/compare/", views.compare, name="compare"),
    path("<slug:slug>/", views.report, name="report"),
    path("<slug:slug>/neurons/", views.neurons, name="neurons"),
    path("<slug:slug>/files/<str:file>", views.download, name="download"),
]
