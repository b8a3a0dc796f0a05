"""Django's own admin: looking only. Rows here come from commands, tasks and the staff pages."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from neurons.models import Corpus, HarvestRun, Network, NetworkPair, TrainingRun


class ReadOnlyAdmin(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Corpus)
class CorpusAdmin(ReadOnlyAdmin):
    list_display = ("name", "documents", "tokens", "created_at")


@admin.register(NetworkPair)
class NetworkPairAdmin(ReadOnlyAdmin):
    list_display = ("name", "size", "created_at")


@admin.register(Network)
class NetworkAdmin(ReadOnlyAdmin):
    list_display = ("name", "pair", "activation", "tokens_trained", "validation_loss")


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    list_display = ("pair", "activation", "status", "progress", "message")


@admin.register(HarvestRun)
class HarvestRunAdmin(ReadOnlyAdmin):
    list_display = ("network", "corpus", "site", "basis", "status", "progress", "tokens_seen")
