from django.urls import path

from neurons.views import browse, runs

app_name = "neurons"

# Reads only. What changes something (starting a harvest) has its page in the admins' part of the site.
urlpatterns = [
    path("", browse.index, name="index"),
    path("runs/<int:pk>/", runs.run, name="run"),
    path("corpora/<slug:name>/", browse.corpus, name="corpus"),
    path("networks/<slug:name>/", browse.network, name="network"),
    path("networks/<slug:name>/<int:layer>/<int:index>/", browse.neuron, name="neuron"),
]
