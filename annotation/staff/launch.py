"""Launch a study: the form, its edit, and a pasted TOML file."""

from typing import cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from annotation.design import DesignRefused, StudyDesign, design_from_toml
from annotation.models import Study
from annotation.services import study_create, study_update_design
from annotation.services.errors import StudyRefused
from annotation.staff.item_preview import preview_page
from annotation.staff.options import size_options
from annotation.staff.study_form import StudyForm, TomlForm, refuse, study_initial


def create(request: HttpRequest) -> HttpResponse:
    form = StudyForm(_posted(request), sizes=size_options(), initial=study_initial())
    if form.is_valid() and (design := form.design()) is not None and (made := _created(request, form, design)):
        return made
    return render(request, "annotation/staff/form.html", _page(form, _("New study"), _("Create the draft")))


@require_POST
def design_preview(request: HttpRequest) -> HttpResponse:
    """An item of the design as it stands in the form, as a rater gets it; or what is missing to show one."""
    held = Study.objects.filter(slug=request.POST.get("editing", ""), state=Study.State.DRAFT).first()
    form = StudyForm(request.POST, sizes=size_options(), study=held)
    problems: list[str] = []
    page = None
    if form.is_valid() and (design := form.design()) is not None:
        try:
            page = preview_page(design)
        except (DesignRefused, StudyRefused) as refusal:
            problems.append(str(refusal))
    problems += _problems(form)
    status = 200 if page is not None else 422
    return render(request, "annotation/staff/design_preview.html", {"page": page, "problems": problems}, status=status)


def _problems(form: StudyForm) -> list[str]:
    """Every fault of the form in words: at fields with their label, then those about the whole and about sizes."""
    at_fields = [f"{field.label}: {text}" for field in form for text in field.errors]
    sizes = [str(text) for pair in form.pair_forms for texts in pair.errors.values() for text in texts]
    return at_fields + [str(text) for text in form.non_field_errors()] + sizes


def create_toml(request: HttpRequest) -> HttpResponse:
    form = TomlForm(_posted(request))
    if form.is_valid():
        try:
            design = design_from_toml(form.cleaned_data["toml"])
        except DesignRefused as refusal:
            refuse(form, refusal)
        else:
            if made := _created(request, form, design):
                return made
    return render(request, "annotation/staff/toml.html", {"form": form})


def edit(request: HttpRequest, slug: str) -> HttpResponse:
    study = get_object_or_404(Study, slug=slug)
    form = StudyForm(_posted(request), sizes=size_options(), study=study, initial=study_initial(study.design))
    if form.is_valid() and (design := form.design()) is not None:
        try:
            study_update_design(study=study, design=design, by=cast(User, request.user))
        except DesignRefused as refusal:
            refuse(form, refusal)
        except StudyRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The design is changed."))
            return redirect("staff:study", slug=design.slug)
    page = _page(form, _("Design of %(title)s") % {"title": study.title}, _("Save the design")) | {"study": study}
    return render(request, "annotation/staff/form.html", page)


def _created(request: HttpRequest, form: forms.Form, design: StudyDesign) -> HttpResponse | None:
    """The way to the new draft, or None with the refusal in the form."""
    try:
        study = study_create(design=design, by=cast(User, request.user))
    except DesignRefused as refusal:
        refuse(form, refusal)
        return None
    messages.success(request, _("The draft is saved. Look it over, then freeze it."))
    return redirect("staff:study", slug=study.slug)


def _page(form: StudyForm, heading: str, button: str) -> dict[str, object]:
    return {"form": form, "heading": heading, "button": button}


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None
