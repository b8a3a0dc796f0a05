from django.urls import path

from neurons.views import browse, live, neuron, reverse, runs, search

app_name = "neurons"

# Reads only. What changes something (starting a harvest) has its page in the admins' part of the site.
urlpatterns = [
    path("", browse.index, name="index"),
    path("corpora/<slug:name>/", browse.corpus, name="corpus"),
    path("networks/<slug:name>/", browse.network, name="network"),
    path("runs/<int:pk>/", runs.run, name="run"),
    path("search/", search.search, name="search"),
    path("networks/<slug:name>/<int:layer>/", browse.layer, name="layer"),
    path("networks/<slug:name>/<int:layer>/<int:index>/", neuron.neuron, name="neuron"),
    path("networks/<slug:name>/reverse/", reverse.reverse, name="reverse"),
    path("networks/<slug:name>/<int:layer>/<int:index>/text/", live.own_text, name="own_text"),
    path("networks/<slug:name>/<int:layer>/<int:index>/text/<int:document>/", neuron.document, name="document"),
    path(
        "networks/<slug:name>/<int:layer>/<int:index>/beside/<slug:other>/<int:other_layer>/<int:other_index>/",
        neuron.twin,
        name="twin",
    ),
]
