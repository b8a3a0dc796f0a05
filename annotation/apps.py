from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AnnotationConfig(AppConfig):
    name = "annotation"

    def ready(self) -> None:
        from annotation.services import site_log

        post_migrate.connect(_protect, sender=self)
        site_log.connect()


def _protect(using: str, **_: Any) -> None:
    from annotation.audit.protect import protect

    protect(using)
