from django.urls import path

from annotation.crowd import hooks, views

app_name = "crowd"

urlpatterns = [
    # No entry token is "-", so these never stand in the way of one.
    path("-/hooks/prolific/", hooks.prolific, name="prolific_hook"),
    path("-/finish/<slug:study>/", views.finish, name="finish"),
    path("<str:token>/", views.enter, name="enter"),
]
