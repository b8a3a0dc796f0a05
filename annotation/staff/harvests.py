"""Start a harvest. It stands here and not among the neurons' pages because researchers read those and start nothing."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from neurons.models import Corpus, Network
from neurons.services import harvest_create
from neurons.tasks import harvest_task


class HarvestForm(forms.Form):
    network = forms.ModelChoiceField(queryset=Network.objects.order_by("name"), empty_label="choose")
    corpus = forms.ModelChoiceField(queryset=Corpus.objects.order_by("name"), empty_label="choose")


def harvest_start(request: HttpRequest) -> HttpResponse:
    form = HarvestForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        run = harvest_create(network=form.cleaned_data["network"], corpus=form.cleaned_data["corpus"])
        harvest_task.delay_on_commit(run.pk)
        messages.success(request, f"The harvest of {run.network} waits for a worker.")
        return redirect("neurons:index")
    return render(request, "annotation/staff/harvest.html", {"form": form})
