from django.apps import AppConfig


class SealedConfig(AppConfig):
    name = "annotation.sealed"
    label = "sealed"
