from django.urls import path

from neurons import views

app_name = "neurons"

# Reads only. What changes something (starting a harvest) has its page in the admins' part of the site.
urlpatterns = [
    path("", views.index, name="index"),
    path("corpora/<slug:name>/", views.corpus, name="corpus"),
    path("networks/<slug:name>/", views.network, name="network"),
    path("networks/<slug:name>/<int:layer>/<int:index>/", views.neuron, name="neuron"),
]
