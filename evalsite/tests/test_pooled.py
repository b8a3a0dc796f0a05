"""Before unblinding nobody sees a number by arm: every staff page of two studies that differ by their keys alone is the
same, byte for byte, whoever of the staff looks."""

import re
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from annotation import services
from annotation.blinding import RatePage, blind_judgment_submit, blind_next
from annotation.models import RaterMessage, Study
from annotation.sealed.models import SealedKey
from annotation.tests.factories import (
    make_answer,
    make_closed_study,
    make_frozen_study,
    make_open_study,
    make_rater,
    make_user,
)
from evalsite.access import STAFF

pytestmark = pytest.mark.django_db
PLACES = ("/studies/", "/reports/", "/verify/")
CHANGING = re.compile(
    r'name="csrfmiddlewaretoken" value="[^"]+"|csrf[_-]?token[^,>]+|value="\d+" (?=[^>]*name="seed")|name="seed"[^>]*'
)


def patterns(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, route)
        elif isinstance(entry, URLPattern):
            yield route


def addresses(study: Study) -> list[str]:
    """Every staff page there is, about this study wherever a page is about one."""
    message = RaterMessage.objects.filter(study=study).first()
    known = {
        "slug": study.slug, "study": study.slug, "name": "open", "number": "1", "run_id": "1", "seat": "1",
        "sha256": study.protocol_sha256, "message": message.public_id if message else "x",
    }  # fmt: skip
    found = [route for route in patterns(get_resolver()) if route.startswith(PLACES)]
    filled = [re.sub(r"<(?:\w+:)?(\w+)>", lambda part: str(known.get(part[1], "x")), route) for route in found]
    steps = [f"/studies/{study.slug}/step/{step}/" for step in ("freeze", "open", "close", "unblind")]
    # The site's own log grows by every sign-in of this test, and knows no items.
    return sorted({*filled, *steps} - {"/studies/-/log/", "/studies/-/log.jsonl"})


def seen_by(staff: list[User], study: Study) -> dict[tuple[str, str], tuple[int, str]]:
    """What each of the staff sees at each address: status and page."""
    seen = {}
    for user in staff:
        client = Client()
        client.force_login(user)
        for address in addresses(study):
            reply = client.get(address)
            seen[user.username, address] = (reply.status_code, CHANGING.sub("", reply.content.decode(errors="replace")))
    return seen


def make_staff() -> list[User]:
    """Somebody of every role."""
    return [make_user(f"looks-as-{role}", group=role) for role in sorted(STAFF)]


def arms_exchanged(study: Study) -> None:
    """Give every item an arm and a neuron that it has not."""
    others = {"baseline": "solu", "solu": "ln_only", "ln_only": "baseline"}
    keys = list(SealedKey.objects.filter(study=study))
    for key in keys:
        key.arm, key.neuron, key.layer = others[key.arm], 39 - key.neuron, key.layer + 1
    SealedKey.objects.bulk_update(keys, ["arm", "neuron", "layer"])


def make_half_rated() -> Study:
    """An open study in which answers differ from item to item, with a message, an amendment and a neuron left shown."""
    study = make_open_study(raters=2)
    rater = make_rater(study)
    for number in range(7):
        page = blind_next(rater, study.slug)
        assert isinstance(page, RatePage)
        verdict = ("yes", "no", "cannot")[number % 3]
        blind_judgment_submit(rater, page.assignment, make_answer(verdict), f"key-{page.assignment}")
    blind_next(rater, study.slug)
    services.message_send(study=study, text="The server rests on Tuesday.")
    services.study_amend(study=study, changes={"contact": "ask Grace"}, reason="Somebody else answers now.")
    return Study.objects.get(pk=study.pk)


def make_asked_for() -> Study:
    study = make_closed_study(raters=1, blinding={"unblinders": 2})
    services.unblinding_request(study=study, reason="All judgments are in.", by=make_user(group="unblinder"))
    return study


@pytest.mark.parametrize("make", [make_frozen_study, make_half_rated, make_asked_for])
def test_exchanging_all_arms_changes_no_byte_of_any_staff_page(make, monkeypatch):
    study = make()
    # The preview shows an item by chance: let it be the same one both times.
    monkeypatch.setattr("annotation.staff.lead.secrets", SimpleNamespace(choice=min))
    staff = make_staff()
    first = seen_by(staff, study)
    arms_exchanged(study)
    second = seen_by(staff, study)
    assert first.keys() == second.keys()
    assert sum(status == 200 for status, _ in first.values()) > 60
    assert [place for place in first if first[place] != second[place]] == []


def test_every_page_about_a_study_was_really_looked_at():
    study = make_half_rated()
    seen: dict[str, set[int]] = {}
    for (_, address), (status, _) in seen_by(make_staff(), study).items():
        seen.setdefault(address, set()).add(status)
    about = {address for address in seen if study.slug in address and address.startswith("/studies/")}
    only_posted = {address for address, codes in seen.items() if 405 in codes}
    shown = {address for address in about if 200 in seen[address]}
    nowhere = {address for address in about - shown - only_posted if 302 not in seen[address]}
    assert nowhere == set()
    assert len(shown) >= 10
