"""Start and stop harvests. It stands here and not among the neurons' pages because researchers read those and change
nothing: the address of a page decides who may enter (evalsite.access)."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from neurons.models import Corpus, HarvestRun, Network, RunStatus
from neurons.selectors import DEFAULT_SITE, POST_LN
from neurons.services import NeuronsRefused, harvest_cancel, harvest_create, harvest_resume
from neurons.store.basis import MOST_DIRECTIONS, MOST_SEED, RANDOM, Basis
from neurons.tasks import harvest_send

MOST_WORKERS = 1000
DIRECTIONS_SEED = 1


class HarvestForm(forms.Form):
    network = forms.ModelChoiceField(
        queryset=Network.objects.order_by("name"), label=_("Network"), empty_label=_("choose")
    )
    corpus = forms.ModelChoiceField(
        queryset=Corpus.objects.order_by("name"), label=_("Corpus"), empty_label=_("choose")
    )
    workers = forms.IntegerField(
        min_value=1,
        max_value=MOST_WORKERS,
        initial=1,
        label=_("Workers"),
        help_text=_(
            "How many of the running workers may share it. One is right for one machine without a graphics card."
        ),
    )
    site = forms.ChoiceField(
        required=False,
        choices=[
            (DEFAULT_SITE, _("after the activation, before any extra LayerNorm: what the SoLU paper's raters saw")),
            (POST_LN, _("after the extra LayerNorm")),
        ],
        widget=forms.RadioSelect,
        initial=DEFAULT_SITE,
        label=_("Where activations are read"),
    )
    directions = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_DIRECTIONS,
        label=_("Random directions in each layer"),
        help_text=_(
            "Left empty, neurons are harvested. A number, such as 1024, harvests random directions: a control."
        ),
    )
    directions_seed = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=MOST_SEED,
        initial=DIRECTIONS_SEED,
        label=_("Seed of the random directions"),
        help_text=_("The same seed gives the same directions."),
    )

    def asked(self) -> dict[str, Any]:
        """What the harvest is told."""
        told = dict(self.cleaned_data)
        directions, seed = told.pop("directions"), told.pop("directions_seed")
        basis = Basis(RANDOM, directions, DIRECTIONS_SEED if seed is None else seed) if directions else Basis()
        return told | {"site": told["site"] or DEFAULT_SITE, "basis": basis.word}


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
    state = {"network": run.network, "state": run.get_status_display()}
    messages.info(request, gettext("The harvest of %(network)s: %(state)s.") % state)
    return redirect("neurons:run", run.pk)


@require_POST
def harvest_workers(request: HttpRequest, run_id: int) -> HttpResponse:
    """Bring workers to a harvest; one that failed or was cancelled goes on."""
    run, form = get_object_or_404(HarvestRun, pk=run_id), WorkersForm(request.POST)
    if not form.is_valid():
        messages.error(request, gettext("Give a number of workers from 1 to %(most)s.") % {"most": MOST_WORKERS})
    elif run.status == RunStatus.DONE:
        messages.info(request, gettext("This harvest is done already."))
    else:
        workers = form.cleaned_data["workers"]
        harvest_send(harvest_resume(run=run, workers=workers), workers)
        told = ngettext("%(workers)s worker was asked for.", "%(workers)s workers were asked for.", workers)
        messages.success(request, told % {"workers": workers})
    return redirect("neurons:run", run.pk)


def _created(form: HarvestForm) -> HarvestRun | None:
    try:
        return harvest_create(**form.asked())
    except NeuronsRefused as refusal:
        form.add_error(None, str(refusal))
        return None


def _send(request: HttpRequest, run: HarvestRun, workers: int) -> None:
    """Hand the run to workers, unless it is done or at work."""
    if run.status != RunStatus.WAITING:
        told = {"network": run.network, "corpus": run.corpus, "state": run.get_status_display()}
        messages.info(request, gettext("%(network)s over %(corpus)s: this harvest is %(state)s already.") % told)
        return
    harvest_send(run, workers)
    told = {"network": run.network, "corpus": run.corpus}
    messages.success(request, gettext("The harvest of %(network)s over %(corpus)s waits for a worker.") % told)
