"""From the parameters of an address to who comes in."""

from collections.abc import Mapping

from django.core import signing

from annotation.models import CrowdIntake
from annotation.providers.signed_entry import EntryForged, KeyUnknown, entry_claims
from annotation.services.crowd import Arrival
from annotation.services.provider_keys import provider_keys

SEALED_SECONDS = 3600  # time to read the first page


def arrival_read(parameters: Mapping[str, str], intake: CrowdIntake) -> Arrival:
    """Who comes in: by the provider's signature where the intake asks for it, else by what the address says.

    Raises `EntryForged`, or `ProviderFailed` if the provider's keys cannot be had.
    """
    said = {name: parameters.get(name, "") for name in _names(intake)}
    if intake.signed:
        vouched = _vouched(parameters.get(intake.token_parameter, ""), intake)
        if any(value and value != vouched.get(name) for name, value in said.items()):
            raise EntryForged("The address says something else than its signature.")
        said = {name: vouched.get(name, "") for name in said}
    person = said[intake.person_parameter]
    if not person or "{" in person:  # a placeholder that nobody filled in, as in a preview
        raise EntryForged("The address does not say who comes in.")
    return Arrival(
        person=person,
        study=said.get(intake.study_parameter, ""),
        session=said.get(intake.session_parameter, ""),
        signed=intake.signed,
    )


def _names(intake: CrowdIntake) -> list[str]:
    return [name for name in (intake.person_parameter, intake.study_parameter, intake.session_parameter) if name]


def _vouched(token: str, intake: CrowdIntake) -> dict[str, str]:
    try:
        return entry_claims(token, provider_keys(), intake.audience)
    except KeyUnknown:
        return entry_claims(token, provider_keys(fresh=True), intake.audience)


def arrival_sealed(arrival: Arrival, intake: CrowdIntake) -> str:
    """An arrival as a form field that only we can make, so that what was checked once is not asked again."""
    return signing.dumps([arrival.person, arrival.study, arrival.session, arrival.signed], salt=_salt(intake))


def arrival_unsealed(field: str, intake: CrowdIntake) -> Arrival:
    """Raises `EntryForged`."""
    try:
        person, study, session, signed = signing.loads(field, salt=_salt(intake), max_age=SEALED_SECONDS)
    except signing.BadSignature:
        raise EntryForged("The page was open for too long, or was changed.") from None
    return Arrival(person, study, session, signed)


def _salt(intake: CrowdIntake) -> str:
    return f"crowd-arrival:{intake.token}"
