from django.urls import path

from neurons.views import browse, neuron, runs, search

app_name = "neurons"

# Reads only. What changes something (starting a harvest) has its page in the admins' part of the site.
urlpatterns = [
    path("", browse.index, name="index"),
    path("runs/<int:pk>/", runs.run, name="run"),
    path("corpora/<slug:name>/", browse.corpus, name="corpus"),
    path("networks/<slug:name>/", browse.network, name="network"),
    path("search/", search.search, name="search"),
    path("networks/<slug:name>/<int:layer>/", browse.layer, name="layer"),
    path("networks/<slug:name>/<int:layer>/<int:index>/", neuron.neuron, name="neuron"),
    path("networks/<slug:name>/<int:layer>/<int:index>/text/<int:document>/", neuron.document, name="document"),
    path(
        "networks/<slug:name>/<int:layer>/<int:index>/beside/<slug:other>/<int:other_layer>/<int:other_index>/",
        neuron.twin,
        name="twin",
    ),
]
