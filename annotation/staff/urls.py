from django.urls import path

from annotation.staff import harvests, launch, lead, people

app_name = "staff"

urlpatterns = [
    path("", lead.studies, name="list"),
    # No study can have the short name "-", so these never stand in the way of one.
    path("-/new/", launch.create, name="create"),
    path("-/new/toml/", launch.create_toml, name="create_toml"),
    path("-/harvests/new/", harvests.harvest_start, name="harvest_start"),
    path("-/harvests/<int:run_id>/cancel/", harvests.harvest_stop, name="harvest_cancel"),
    path("-/harvests/<int:run_id>/workers/", harvests.harvest_workers, name="harvest_send"),
    path("<slug:slug>/", lead.study, name="study"),
    path("<slug:slug>/design/", launch.edit, name="edit"),
    path("<slug:slug>/protocol.json", lead.protocol, name="protocol"),
    path("<slug:slug>/preview/", lead.preview, name="preview"),
    path("<slug:slug>/check/", lead.check, name="check"),
    path("<slug:slug>/seats/", people.seats, name="seats"),
    path("<slug:slug>/step/<slug:name>/", lead.step, name="step"),
]
