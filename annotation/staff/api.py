"""Leading a study through the API. Each router is for other roles; whoever mounts them asks for the token.

`request.auth` is a `StaffKey`. What is told of answers is pooled: no count by arm stands anywhere before unblinding.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field

from annotation.design import design_from_dict
from annotation.models import ApiToken, CrowdIntake, LeakAudit, Seat, Study, TokenRole
from annotation.selectors import SeatProgress, event_list, machines_declared, study_progress
from annotation.services import (
    study_close,
    study_create,
    study_freeze,
    study_open,
    study_pause,
    study_problems,
    study_resume,
    study_update_design,
)
from annotation.services.invitations import DAYS_MOST, USES_MOST, invitation_create
from annotation.services.log import REASON_AT_LEAST
from annotation.services.tokens import MOST_DAYS, machine_declare, token_create, token_revoke

creating = Router(tags=["Making studies"])
leading = Router(tags=["Leading a study"])
watching = Router(tags=["Watching a study"])
auditing = Router(tags=["Checking a study"])


@dataclass(frozen=True, slots=True)
class StaffKey:
    """What a token of the staff opens: one study, or with an empty one the making of new studies."""

    token_id: int
    study: str  # slug
    by: User | None  # who made the token, and answers for what is done with it

    @property
    def ident(self) -> str:
        return f"token-{self.token_id}"


class StudyOut(Schema):
    slug: str
    title: str
    state: str
    paused: bool
    rater_kind: str
    protocol_sha256: str
    created_at: datetime
    frozen_at: datetime | None
    opened_at: datetime | None
    closed_at: datetime | None


class TokenOut(Schema):
    """A key is shown in this one reply and never again."""

    key: str
    hint: str
    role: str
    expires_at: datetime


class CreatedOut(Schema):
    study: StudyOut
    token: TokenOut


class DesignIn(Schema):
    design: dict[str, Any] = Field(description="as in a design file: title, slug, seed, corpus, pairs, …")
    days: int = Field(90, ge=1, le=MOST_DAYS, description="how long the new study's token lives")


class ReasonIn(Schema):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=REASON_AT_LEAST, max_length=2_000)


class SeatOut(Schema):
    number: int
    kind: str
    pseudonym: str = Field(description="empty: nobody sits here")
    done: int
    total: int
    instructions_read: bool
    practice_done: bool
    last_activity: datetime | None


class ProgressOut(Schema):
    """All arms together."""

    done: int
    total: int
    seats: int
    seats_taken: int


class MachineIn(Schema):
    """What a program that rates declares itself to be; it stands in the tables beside every answer."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    name: str = Field(min_length=1, max_length=80)
    version: str = Field(min_length=1, max_length=40)
    model: str = Field("", max_length=120, description="the language model behind it, if there is one")
    description: str = Field("", max_length=20_000, description="prompt and settings")
    days: int = Field(30, ge=1, le=MOST_DAYS)


class MachineOut(Schema):
    pseudonym: str
    seat: int
    token: TokenOut


class DeclaredOut(Schema):
    model_config = ConfigDict(protected_namespaces=())

    pseudonym: str
    name: str
    version: str
    model: str
    description: str


class LeaksOut(Schema):
    """How well the arms can be told from how items are shown: over whole arms, never of an item."""

    at: datetime
    limit: float
    passed: bool
    numbers: dict[str, Any]


class InviteIn(Schema):
    model_config = ConfigDict(extra="forbid")

    uses: int = Field(1, ge=1, le=USES_MOST, description="how many raters may come in by the link")
    days: int = Field(14, ge=1, le=DAYS_MOST)
    anonymous: bool = Field(True, description="they may start without an account")


class InvitedOut(Schema):
    """The link is shown in this one reply and never again."""

    link: str


class SeatTokenIn(Schema):
    """A token for a seat that is taken. For a person's seat say why a program may answer there."""

    model_config = ConfigDict(extra="forbid")

    seat: int = Field(ge=1)
    label: str = Field(min_length=1, max_length=80)
    days: int = Field(30, ge=1, le=MOST_DAYS)
    reason: str = Field("", max_length=2_000)


class RevokeIn(Schema):
    hint: str = Field(description="the first characters of the key, as listed")


class EventOut(Schema):
    at: datetime
    action: str
    reason: str
    details: dict[str, Any]


class ProblemsOut(Schema):
    problems: list[str] = Field(description="empty: all that is stored matches the frozen protocol")


class IntakeOut(Schema):
    provider: str
    is_open: bool
    entry: str
    counts: dict[str, int]


# -- Making studies ----------------------------------------------------------------------------------------------------


@creating.post("/studies", response={201: CreatedOut})
def create(request: HttpRequest, body: DesignIn) -> Status[dict[str, Any]]:
    """Make a draft from a design. The reply holds a token that leads the new study."""
    by = _key(request).by
    study = study_create(design=design_from_dict(body.design), by=by)
    label = f"made with {study.slug}"[:80]
    token, key = token_create(role=TokenRole.ADMIN, label=label, days=body.days, study=study, by=by)
    return Status(201, {"study": _told(study), "token": _token(token, key)})


# -- Leading -----------------------------------------------------------------------------------------------------------


@leading.get("/studies/{slug}/design", response=dict[str, Any])
def design(request: HttpRequest, slug: str) -> dict[str, Any]:
    """The design as it stands."""
    design: dict[str, Any] = _study(request, slug).design
    return design


@leading.put("/studies/{slug}/design", response=StudyOut)
def design_change(request: HttpRequest, slug: str, body: DesignIn) -> dict[str, Any]:
    """Change the design of a draft. Its short name stays, because the token is for it."""
    study = _study(request, slug)
    asked = design_from_dict({**body.design, "slug": slug})
    return _told(study_update_design(study=study, design=asked, by=_key(request).by))


@leading.post("/studies/{slug}/freeze", response=StudyOut)
def freeze(request: HttpRequest, slug: str) -> dict[str, Any]:
    """Draw the neurons, fix every rater's order, and write the protocol. Takes some seconds; cannot be undone."""
    return _told(study_freeze(study=_study(request, slug), by=_key(request).by))


@leading.post("/studies/{slug}/open", response=StudyOut)
def open_study(request: HttpRequest, slug: str) -> dict[str, Any]:
    """Let raters start."""
    return _told(study_open(study=_study(request, slug), by=_key(request).by))


@leading.post("/studies/{slug}/pause", response=StudyOut)
def pause(request: HttpRequest, slug: str, body: ReasonIn) -> dict[str, Any]:
    """Take no answers for now; nothing that raters entered is lost."""
    return _told(study_pause(study=_study(request, slug), by=_key(request).by, reason=body.reason))


@leading.post("/studies/{slug}/resume", response=StudyOut)
def resume(request: HttpRequest, slug: str) -> dict[str, Any]:
    """Go on after a pause."""
    return _told(study_resume(study=_study(request, slug), by=_key(request).by))


@leading.post("/studies/{slug}/close", response=StudyOut)
def close(request: HttpRequest, slug: str, body: ReasonIn) -> dict[str, Any]:
    """Take no more answers, for good. The key is opened on the site, by people, and not through the API."""
    return _told(study_close(study=_study(request, slug), reason=body.reason, by=_key(request).by))


@leading.post("/studies/{slug}/machines/declare", response={201: MachineOut})
def machine(request: HttpRequest, slug: str, body: MachineIn) -> Status[dict[str, Any]]:
    """Declare a program that rates, on a free seat for machines. The reply holds its token."""
    rater, token, key = machine_declare(study=_study(request, slug), by=_key(request).by, **body.model_dump())
    seat = token.seat.number if token.seat else 0
    return Status(201, {"pseudonym": rater.evaluator.pseudonym, "seat": seat, "token": _token(token, key)})


@leading.post("/studies/{slug}/tokens", response={201: TokenOut})
def seat_token(request: HttpRequest, slug: str, body: SeatTokenIn) -> Status[dict[str, Any]]:
    """A token for a rater who has a seat."""
    study = _study(request, slug)
    seat = Seat.objects.filter(study=study, number=body.seat).select_related("evaluator").first()
    if seat is None:
        raise Http404
    token, key = token_create(
        role=TokenRole.EVALUATOR, label=body.label, days=body.days, study=study, seat=seat,
        reason=body.reason, by=_key(request).by,
    )  # fmt: skip
    return Status(201, _token(token, key))


@leading.post("/studies/{slug}/tokens/revoke", response={204: None})
def revoke(request: HttpRequest, slug: str, body: RevokeIn) -> Status[None]:
    """Take a token of this study back."""
    token = ApiToken.objects.filter(study=_study(request, slug), hint=body.hint).first()
    if token is None:
        raise Http404
    token_revoke(token=token, by=_key(request).by)
    return Status(204, None)


@leading.post("/studies/{slug}/invitations", response={201: InvitedOut})
def invite(request: HttpRequest, slug: str, body: InviteIn) -> Status[dict[str, Any]]:
    """A link by which people take free seats."""
    made = invitation_create(study=_study(request, slug), by=_key(request).by, **body.model_dump())
    link = request.build_absolute_uri(f"/join/{made.token}/")
    return Status(201, {"link": link})


@leading.get("/studies/{slug}/intake", response=IntakeOut)
def intake(request: HttpRequest, slug: str) -> dict[str, Any]:
    """How raters come in from a crowd provider, and how many of them are where."""
    row = CrowdIntake.objects.filter(study=_study(request, slug)).first()
    if row is None:
        raise Http404
    statuses = row.study.submissions.values_list("status", flat=True)
    return {
        "provider": row.provider,
        "is_open": row.is_open,
        "entry": request.build_absolute_uri(f"/enter/{row.token}/"),
        "counts": {status: list(statuses).count(status) for status in sorted(set(statuses))},
    }


# -- Watching ----------------------------------------------------------------------------------------------------------


@watching.get("/studies/{slug}", response=StudyOut)
def study(request: HttpRequest, slug: str) -> dict[str, Any]:
    """State and dates of the study."""
    return _told(_study(request, slug))


@watching.get("/studies/{slug}/progress", response=ProgressOut)
def progress(request: HttpRequest, slug: str) -> dict[str, int]:
    """How far the whole study is."""
    rows = study_progress(_study(request, slug))
    return {
        "done": sum(row.done for row in rows),
        "total": sum(row.total for row in rows),
        "seats": len(rows),
        "seats_taken": sum(bool(row.pseudonym) for row in rows),
    }


@watching.get("/studies/{slug}/seats", response=list[SeatOut])
def seats(request: HttpRequest, slug: str) -> list[dict[str, Any]]:
    """How far each seat is, and for which kind of rater it is."""
    return [_seat(row) for row in study_progress(_study(request, slug))]


@watching.get("/studies/{slug}/machines", response=list[DeclaredOut])
def machines(request: HttpRequest, slug: str) -> list[dict[str, Any]]:
    """The programs that rate here, as they were declared."""
    told = ("name", "version", "model", "description")
    return [
        {"pseudonym": row.evaluator.pseudonym, **{name: getattr(row, name) for name in told}}
        for row in machines_declared(_study(request, slug))
    ]


# -- Checking ----------------------------------------------------------------------------------------------------------


@auditing.get("/studies/{slug}/protocol", response=dict[str, Any])
def protocol(request: HttpRequest, slug: str) -> HttpResponse:
    """The frozen protocol, byte for byte; its sha256 is the study's `protocol_sha256`."""
    found = _study(request, slug)
    if not found.protocol:
        raise Http404
    return HttpResponse(found.protocol.encode(), content_type="application/json")


@auditing.get("/studies/{slug}/leaks", response=list[LeaksOut])
def leaks(request: HttpRequest, slug: str) -> list[dict[str, Any]]:
    """What the leak audits found, oldest first."""
    rows = LeakAudit.objects.filter(study=_study(request, slug)).order_by("pk")
    return [{name: getattr(row, name) for name in ("at", "limit", "passed", "numbers")} for row in rows]


@auditing.get("/studies/{slug}/check", response=ProblemsOut)
def check(request: HttpRequest, slug: str) -> dict[str, list[str]]:
    """Compare what is stored with the frozen protocol."""
    return {"problems": study_problems(_study(request, slug))}


@auditing.get("/studies/{slug}/log", response=list[EventOut])
def log(request: HttpRequest, slug: str) -> list[dict[str, Any]]:
    """The study's log, oldest first."""
    fields = ("at", "action", "reason", "details")
    return [{name: getattr(event, name) for name in fields} for event in event_list(_study(request, slug))]


def _key(request: HttpRequest) -> StaffKey:
    key: StaffKey = request.auth  # type: ignore[attr-defined]
    return key


def _study(request: HttpRequest, slug: str) -> Study:
    """The token's own study; any other is answered as if it were not there."""
    found = Study.objects.filter(slug=slug).first() if slug == _key(request).study else None
    if found is None:
        raise Http404
    return found


def _told(study: Study) -> dict[str, Any]:
    names = ("slug", "title", "state", "rater_kind", "protocol_sha256", "created_at", "frozen_at", "opened_at")
    told = {name: getattr(study, name) for name in (*names, "closed_at")}
    return {**told, "paused": study.paused_at is not None}


def _token(token: ApiToken, key: str) -> dict[str, Any]:
    return {"key": key, "hint": token.hint, "role": token.role, "expires_at": token.expires_at}


def _seat(row: SeatProgress) -> dict[str, Any]:
    return {name: value for name, value in asdict(row).items() if name in SeatOut.model_fields}
