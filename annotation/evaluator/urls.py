from django.urls import path

from annotation.evaluator import views

app_name = "evaluator"
urlpatterns = [
    path("", views.home, name="home"),
    path("a/<str:assignment>/answer/", views.answer, name="answer"),
    path("a/<str:assignment>/draft/", views.draft, name="draft"),
    path("n/<str:notice>/read/", views.notice_read, name="notice_read"),
    path("<slug:study>/", views.instructions, name="instructions"),
    path("<slug:study>/consent/", views.consent, name="consent"),
    path("<slug:study>/practice/<int:number>/", views.practice, name="practice"),
    path("<slug:study>/screened/", views.screened, name="screened"),
    path("<slug:study>/next/", views.rate, name="next"),
    path("<slug:study>/done/", views.done, name="done"),
    path("<slug:study>/guess/", views.guess, name="guess"),
    path("<slug:study>/guess/start/", views.guess_start, name="guess_start"),
    path("<slug:study>/undo/", views.undo, name="undo"),
]
