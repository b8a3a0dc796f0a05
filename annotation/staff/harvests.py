"""Start and stop harvests. It stands here and not among the neurons' pages because researchers read those and change
nothing: the address of a page decides who may enter (evalsite.access)."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from neurons.models import Corpus, HarvestRun, Network, RunStatus
from neurons.services import NeuronsRefused, harvest_cancel, harvest_create
from neurons.tasks import harvest_task


class HarvestForm(forms.Form):
    network = forms.ModelChoiceField(queryset=Network.objects.order_by("name"), empty_label="choose")
    corpus = forms.ModelChoiceField(queryset=Corpus.objects.order_by("name"), empty_label="choose")


def harvest_start(request: HttpRequest) -> HttpResponse:
    form = HarvestForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and (run := _created(form)) is not None:
        _send(request, run)
        return redirect("neurons:index")
    return render(request, "annotation/staff/harvest.html", {"form": form})


@require_POST
def harvest_stop(request: HttpRequest, run_id: int) -> HttpResponse:
    run = harvest_cancel(run=get_object_or_404(HarvestRun, pk=run_id))
    messages.info(request, f"The harvest of {run.network} is {run.get_status_display()}.")
    return redirect("neurons:index")


def _created(form: HarvestForm) -> HarvestRun | None:
    try:
        return harvest_create(network=form.cleaned_data["network"], corpus=form.cleaned_data["corpus"])
    except NeuronsRefused as refusal:
        form.add_error(None, str(refusal))
        return None


def _send(request: HttpRequest, run: HarvestRun) -> None:
    """Hand the run to a worker, unless it is done or at work."""
    if run.status != RunStatus.WAITING:
        messages.info(request, f"{run.network} over {run.corpus}: this harvest is {run.get_status_display()} already.")
        return
    harvest_task.delay_on_commit(run.pk)
    messages.success(request, f"The harvest of {run.network} over {run.corpus} waits for a worker.")
