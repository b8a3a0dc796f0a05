from django.urls import path

from annotation.staff import amend, erasure, harvests, invitations, launch, lead, logs, people, running, unblinding

app_name = "staff"

urlpatterns = [
    path("", lead.studies, name="list"),
    # No study can have the short name "-", so these never stand in the way of one.
    path("-/new/", launch.create, name="create"),
    path("-/new/toml/", launch.create_toml, name="create_toml"),
    path("-/harvests/new/", harvests.harvest_start, name="harvest_start"),
    path("-/harvests/<int:run_id>/cancel/", harvests.harvest_stop, name="harvest_cancel"),
    path("-/harvests/<int:run_id>/workers/", harvests.harvest_workers, name="harvest_send"),
    path("-/log/", logs.site_log, name="site_log"),
    path("-/log.jsonl", logs.site_log_file, name="site_log_file"),
    path("-/verify_log.py", logs.verifier, name="verifier"),
    path("-/raters/", erasure.raters, name="raters"),
    path("-/raters/<str:pseudonym>/erase/", erasure.erase, name="erase"),
    path("<slug:slug>/", lead.study, name="study"),
    path("<slug:slug>/design/", launch.edit, name="edit"),
    path("<slug:slug>/protocol.json", lead.protocol, name="protocol"),
    path("<slug:slug>/preview/", lead.preview, name="preview"),
    path("<slug:slug>/check/", lead.check, name="check"),
    path("<slug:slug>/seats/", people.seats, name="seats"),
    path("<slug:slug>/invitations/", invitations.invitations, name="invitations"),
    path("<slug:slug>/invitations/<str:public_id>/take-back/", invitations.take_back, name="invitation_take_back"),
    path("<slug:slug>/seats/<int:number>/hand-over/", running.hand_over, name="hand_over"),
    path("<slug:slug>/pause/", running.pause, name="pause"),
    path("<slug:slug>/messages/", running.write, name="messages"),
    path("<slug:slug>/messages/<str:message>/take-back/", running.take_back, name="message_take_back"),
    path("<slug:slug>/amend/", amend.amend, name="amend"),
    path("<slug:slug>/versions/<int:number>/", amend.version, name="version"),
    path("<slug:slug>/versions/<int:number>/protocol.json", amend.version_file, name="version_file"),
    path("<slug:slug>/log/", logs.study_log, name="log"),
    path("<slug:slug>/log.jsonl", logs.study_log_file, name="log_file"),
    path("<slug:slug>/unblinding/", unblinding.confirm, name="unblinding"),
    path("<slug:slug>/unblinding/withdraw/", unblinding.withdraw, name="unblinding_withdraw"),
    path("<slug:slug>/step/<slug:name>/", lead.step, name="step"),
]
