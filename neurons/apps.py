from django.apps import AppConfig


class NeuronsConfig(AppConfig):
    name = "neurons"
