"""Start and stop harvests. It stands here and not among the neurons' pages because researchers read those and change
nothing: the address of a page decides who may enter (evalsite.access)."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from neurons.models import Corpus, HarvestRun, Network, RunStatus
from neurons.services import NeuronsRefused, harvest_cancel, harvest_create, harvest_resume
from neurons.tasks import harvest_send

MOST_WORKERS = 1000


class HarvestForm(forms.Form):
    network = forms.ModelChoiceField(queryset=Network.objects.order_by("name"), empty_label="choose")
    corpus = forms.ModelChoiceField(queryset=Corpus.objects.order_by("name"), empty_label="choose")
    workers = forms.IntegerField(
        min_value=1,
        max_value=MOST_WORKERS,
        initial=1,
        help_text="How many of the running workers may share it. One is right for one machine without a graphics card.",
    )


class WorkersForm(forms.Form):
    workers = forms.IntegerField(min_value=1, max_value=MOST_WORKERS)


def harvest_start(request: HttpRequest) -> HttpResponse:
    form = HarvestForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and (run := _created(form)) is not None:
        _send(request, run, form.cleaned_data["workers"])
        return redirect("neurons:run", run.pk)
    return render(request, "annotation/staff/harvest.html", {"form": form})


@require_POST
def harvest_stop(request: HttpRequest, run_id: int) -> HttpResponse:
    run = harvest_cancel(run=get_object_or_404(HarvestRun, pk=run_id))
    messages.info(request, f"The harvest of {run.network} is {run.get_status_display()}.")
    return redirect("neurons:run", run.pk)


@require_POST
def harvest_workers(request: HttpRequest, run_id: int) -> HttpResponse:
    """Bring workers to a harvest; one that failed or was cancelled goes on."""
    run, form = get_object_or_404(HarvestRun, pk=run_id), WorkersForm(request.POST)
    if not form.is_valid():
        messages.error(request, f"Give a number of workers from 1 to {MOST_WORKERS}.")
    elif run.status == RunStatus.DONE:
        messages.info(request, "This harvest is done already.")
    else:
        workers = form.cleaned_data["workers"]
        harvest_send(harvest_resume(run=run, workers=workers), workers)
        messages.success(request, f"{workers} {'worker was' if workers == 1 else 'workers were'} asked for.")
    return redirect("neurons:run", run.pk)


def _created(form: HarvestForm) -> HarvestRun | None:
    try:
        return harvest_create(**form.cleaned_data)
    except NeuronsRefused as refusal:
        form.add_error(None, str(refusal))
        return None


def _send(request: HttpRequest, run: HarvestRun, workers: int) -> None:
    """Hand the run to workers, unless it is done or at work."""
    if run.status != RunStatus.WAITING:
        messages.info(request, f"{run.network} over {run.corpus}: this harvest is {run.get_status_display()} already.")
        return
    harvest_send(run, workers)
    messages.success(request, f"The harvest of {run.network} over {run.corpus} waits for a worker.")
