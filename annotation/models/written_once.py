"""Rows that are added and then never changed or deleted."""

from typing import Any, NoReturn

from django.db import models


class FrozenRow(Exception):
    """Somebody tried to change or delete what is written once."""


class WrittenOnceQuerySet(models.QuerySet):
    """Refuses bulk changes, so that no code path rewrites what was frozen or logged."""

    def update(self, **changes: Any) -> NoReturn:
        raise FrozenRow(f"{self.model.__name__} rows are written once; changing {', '.join(changes)} is refused.")

    def delete(self) -> NoReturn:
        raise FrozenRow(f"{self.model.__name__} rows are written once; they cannot be deleted.")


class WrittenOnce(models.Model):
    """A row that is added and then never changed or deleted."""

    objects = WrittenOnceQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise FrozenRow(f"This {type(self).__name__} is written once; add a new row instead of changing it.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise FrozenRow(f"This {type(self).__name__} is written once; it cannot be deleted.")
