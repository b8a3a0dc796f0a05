"""Versions of a frozen protocol: the first as it was frozen, each later one an amendment with its reason."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.db import transaction

from annotation.audit import actor_of
from annotation.design import StudyDesign, canonical_json, design_from_dict, design_to_dict
from annotation.models import Judgment, ProtocolVersion, Seat, Study
from annotation.services.errors import AmendmentRefused
from annotation.services.log import User, event_add, locked, reason_checked
from annotation.services.protocol import rater_text, sha256
from annotation.services.reserve import reserve_check, reserve_use

State = Study.State
TEXTS = ("instructions", "contact", "consent")  # what raters read
THRESHOLDS = ("quality",)
AFTERWARDS = ("plan",)  # at any time before unblinding; the number of answers by then says what that is worth
RESERVE = ("sampling",)  # of it, how many rounds of the reserve are in use
BLINDING = ("blinding",)  # of it, why the study opens above its leak limit
AMENDABLE = (*TEXTS, *THRESHOLDS, *AFTERWARDS, *RESERVE, *BLINDING)
# Thresholds that change what is on raters' lists were used up at freeze.
USED_AT_FREEZE = ("planted_catches", "pooled_catches")


@dataclass(frozen=True, slots=True)
class Change:
    """One field of the design, before and after an amendment."""

    field: str
    old: Any
    new: Any


def version_first(study: Study, by: User) -> ProtocolVersion:
    """Write down the protocol as frozen."""
    return ProtocolVersion.objects.create(
        study=study,
        number=1,
        text=study.protocol,
        sha256=study.protocol_sha256,
        by=actor_of(by),
        at=cast(datetime, study.frozen_at),
    )


def version_latest(study: Study) -> ProtocolVersion:
    """The version that is in force now."""
    latest: ProtocolVersion = ProtocolVersion.objects.filter(study=study).order_by("-number")[0]
    return latest


@transaction.atomic
def study_amend(*, study: Study, changes: dict[str, Any], reason: str, by: User = None) -> ProtocolVersion:
    """Change what a frozen protocol lets be changed, as a new version; the earlier ones stay byte for byte.

    `changes` holds new values of fields of the design, sections whole. Items, arms and the key can never change.
    """
    row = locked(study, State.FROZEN, State.OPEN, State.CLOSED, step="amend")
    reason = reason_checked(reason, "amend")
    old, new = design_from_dict(row.design), design_from_dict(row.design | changes)
    fields = changed_fields(old, new)
    _check(row, fields, old, new)
    before = Judgment.objects.filter(assignment__seat__study=row).count()
    version = _version_next(row, old, new, reason, by, before)
    # Past `Study.save`, which keeps a frozen study as it is; what is written here stands in the version.
    Study.objects.filter(pk=row.pk).update(design=design_to_dict(new), rater_text=_texts(version))
    if "sampling" in fields:
        reserve_use(row, old.sampling.reserve_used, new.sampling.reserve_used)
    event_add(
        row, by, "amended", reason,
        object=("protocol", f"version {version.number}"), old=version_before(version).sha256, new=version.sha256,
        fields=fields, judgments_before=before, state=row.state,
    )  # fmt: skip
    return version


def changed_fields(old: StudyDesign, new: StudyDesign) -> list[str]:
    one, other = design_to_dict(old), design_to_dict(new)
    return sorted(name for name in one if one[name] != other[name])


def version_before(version: ProtocolVersion) -> ProtocolVersion:
    return ProtocolVersion.objects.get(study_id=version.study_id, number=version.number - 1)


def version_changes(version: ProtocolVersion) -> list[Change]:
    """What an amendment changed, field by field; nothing for the first version."""
    if version.number == 1:
        return []
    pair = (version_before(version), version)
    old, new = (design_to_dict(design_from_dict(json.loads(row.text)["design"])) for row in pair)
    return [Change(*change) for change in _differences("", old, new)]


def version_problems(study: Study) -> list[str]:
    """What is wrong with the versions of a frozen study; empty if they follow from each other by amendments alone."""
    versions = list(ProtocolVersion.objects.filter(study=study).order_by("number"))
    if not versions or versions[0].text != study.protocol:
        return ["The first version is not the protocol as frozen."]
    problems = []
    for number, version in enumerate(versions, start=1):
        if version.number != number or sha256(version.text) != version.sha256:
            problems.append(f"Version {version.number} of the protocol does not match its sha256 or its number.")
        elif number > 1 and not _follows(versions[number - 2], version):
            problems.append(f"Version {number} of the protocol changes what no amendment may change.")
    last = json.loads(versions[-1].text)
    if study.design != last["design"]:
        problems.append("The stored design differs from the protocol.")
    if study.rater_text != last["shown_to_raters"]:
        problems.append("What raters read differs from the protocol.")
    return problems


def _check(study: Study, fields: list[str], old: StudyDesign, new: StudyDesign) -> None:
    never = [name for name in fields if name not in AMENDABLE]
    if never:
        raise AmendmentRefused(f"{', '.join(never)} cannot be amended after freeze; make a new study.")
    if not fields:
        raise AmendmentRefused("Nothing is changed by this amendment; change something, or leave it.")
    if study.state == State.CLOSED and (late := [name for name in fields if name not in AFTERWARDS]):
        raise AmendmentRefused(
            f"Rating is over, so {', '.join(late)} would change nothing; only the plan can be amended."
        )
    if _parts_fixed(design_to_dict(old)) != _parts_fixed(design_to_dict(new)):
        raise AmendmentRefused(
            "How neurons were sampled, how the blind is held and what leaving means for raters cannot be amended after "
            "freeze; make a new study."
        )
    if "quality" in fields:
        _check_thresholds(study, old, new)
    if "sampling" in fields:
        reserve_check(study, old.sampling.reserve_used, new.sampling.reserve_used)


def _check_thresholds(study: Study, old: StudyDesign, new: StudyDesign) -> None:
    used = [name for name in USED_AT_FREEZE if getattr(old.quality, name) != getattr(new.quality, name)]
    if used:
        raise AmendmentRefused(
            f"quality.{', quality.'.join(used)}: catch trials are on the raters' lists since freeze."
        )
    # An answer is stored with its seat locked: after this none can slip in before the amendment stands.
    list(Seat.objects.select_for_update().filter(study=study).values_list("pk"))
    given = Judgment.objects.filter(assignment__seat__study=study).count()
    if given:
        raise AmendmentRefused(
            f"{given} answers are given; thresholds of quality can be amended before the first answer only."
        )


def _version_next(
    study: Study, old: StudyDesign, new: StudyDesign, reason: str, by: User, before: int
) -> ProtocolVersion:
    last = version_latest(study)
    protocol, shown_old, shown_new = json.loads(last.text), rater_text(old), rater_text(new)
    # Only what the amendment changes: newer software may word the rest in another way.
    protocol["shown_to_raters"] |= {name: shown_new[name] for name in shown_new if shown_new[name] != shown_old[name]}
    protocol["design"] = design_to_dict(new)
    protocol["amendment"] = {
        "version": last.number + 1,
        "previous_sha256": last.sha256,
        "reason": reason,
        "judgments_before": before,
    }
    text = canonical_json(protocol)
    return ProtocolVersion.objects.create(
        study=study,
        number=last.number + 1,
        text=text,
        sha256=sha256(text),
        reason=reason,
        by=actor_of(by),
        judgments_before=before,
    )


def _texts(version: ProtocolVersion) -> dict[str, Any]:
    texts: dict[str, Any] = json.loads(version.text)["shown_to_raters"]
    return texts


def _follows(before: ProtocolVersion, version: ProtocolVersion) -> bool:
    """Whether a version is the one before it with an amendment."""
    old, new = json.loads(before.text), json.loads(version.text)
    old.pop("amendment", None)
    told = new.pop("amendment", {})
    # Read again, because a later version knows fields that did not exist yet, with the values that they stand for.
    design, other = (design_to_dict(design_from_dict(protocol.pop("design"))) for protocol in (old, new))
    shown, shown_now = old.pop("shown_to_raters"), new.pop("shown_to_raters")
    fixed = {name: value for name, value in design.items() if name not in AMENDABLE} | _parts_fixed(design)
    texts = [name for name in shown if shown[name] != shown_now.get(name)]
    return (
        old == new
        and told.get("previous_sha256") == before.sha256
        and fixed == {name: value for name, value in other.items() if name not in AMENDABLE} | _parts_fixed(other)
        and set(texts) <= {"paragraphs", "contact", "consent"}
    )


def _parts_fixed(design: dict[str, Any]) -> dict[str, Any]:
    """What no amendment may change in sections that it may change otherwise."""
    blinding = {name: value for name, value in design["blinding"].items() if name != "leak_overruled"}
    sampling = {name: value for name, value in design["sampling"].items() if name != "reserve_used"}
    return {
        "blinding": blinding,
        "sampling": sampling,
        "consent": {name: design["consent"][name] for name in ("withdrawal", "erase_words")},
    }


def _differences(place: str, old: Any, new: Any) -> list[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        names = sorted(old.keys() | new.keys())
        return [
            change
            for name in names
            for change in _differences(f"{place}.{name}" if place else name, old.get(name), new.get(name))
        ]
    return [] if old == new else [(place, old, new)]
