"""What the study's page shows of its raters as people: invitations, consent, declared conflicts, who left."""

from dataclasses import dataclass

from annotation.models import ConflictDeclaration, ConsentRecord, Invitation, PersonErasure, SeatVacancy, Study


@dataclass(frozen=True, slots=True)
class PeoplePanel:
    """Counts over the whole study; who declared what is listed after unblinding only."""

    asked: bool
    agreed: int
    declined: int
    conflicts_asked: bool
    conflicts: int
    declared: tuple[tuple[str, str], ...]  # pseudonym and text
    links_open: int
    left: int
    set_aside: int
    erased: int


def people_panel(study: Study) -> PeoplePanel:
    said = _latest(study)
    declared = ConflictDeclaration.objects.filter(consent__in=[row.pk for row in said.values()], has_conflict=True)
    vacancies = SeatVacancy.objects.filter(seat__study=study)
    shown = study.rater_text.get("consent") or {}
    return PeoplePanel(
        asked=bool(shown),
        agreed=sum(row.answer == ConsentRecord.Answer.AGREED for row in said.values()),
        declined=sum(row.answer == ConsentRecord.Answer.DECLINED for row in said.values()),
        conflicts_asked=bool(shown.get("ask_conflicts")),
        conflicts=declared.count(),
        declared=tuple(
            declared.order_by("consent__evaluator__pseudonym").values_list("consent__evaluator__pseudonym", "text")
        )
        if study.state == Study.State.UNBLINDED
        else (),
        links_open=sum(row.state == "open" for row in Invitation.objects.filter(study=study)),
        left=vacancies.count(),
        set_aside=vacancies.filter(kept=False).count(),
        erased=PersonErasure.objects.filter(study=study).count(),
    )


def _latest(study: Study) -> dict[int, ConsentRecord]:
    """The last word of every rater."""
    return {row.evaluator_id: row for row in ConsentRecord.objects.filter(study=study).order_by("id")}
