"""Anybody can look up the hash of a frozen protocol, and learns nothing of what is compared in it."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from annotation import audit, services
from annotation.audit import verify_log
from annotation.models import Evaluator, StudyEvent
from annotation.tests.factories import ARMS, make_frozen_study, make_open_study, make_rater, make_user

pytestmark = pytest.mark.django_db
ASK = "/verify/"


def page_of(sha256: str, client: Client | None = None) -> str:
    return (client or Client()).get(reverse("verify:known", args=[sha256]), follow=True).content.decode()


def main_of(page: str) -> str:
    return re.search(r"<main.*</main>", page, flags=re.DOTALL)[0]


def test_a_stranger_learns_when_it_was_frozen_which_version_it_is_and_where_the_log_stood():
    study = make_open_study()
    reply = Client().get(reverse("verify:known", args=[study.protocol_sha256]))
    page = main_of(reply.content.decode())
    assert reply.status_code == 200
    assert "a study of this site" in page
    assert f"{study.frozen_at:%H:%M:%S}" in page
    assert "1 of 1" in page
    assert ">open<" in page
    assert audit.anchor_of(StudyEvent.objects.get(study=study, action="frozen")) in page


def test_the_anchor_on_the_page_holds_the_log_of_the_study():
    study = make_open_study()
    page = page_of(study.protocol_sha256)
    anchor = verify_log.anchor_read(re.search(r"--anchor=([\w:-]+)", page)[1])
    assert audit.chain_problems(audit.chain_of(study), (anchor,)) == []


@pytest.mark.parametrize("named", [True, False])
def test_the_title_is_told_only_if_the_protocol_says_so(named):
    study = make_frozen_study(title="Rivers and towns", blinding={"unblinders": 1, "named_publicly": named})
    assert ("Rivers and towns" in page_of(study.protocol_sha256)) is named


def test_no_answer_holds_an_arm_a_network_or_the_name_of_a_study():
    study = make_open_study()
    page = main_of(page_of(study.protocol_sha256))
    for word in (*ARMS, *ARMS.values(), study.slug, study.title, "tiny"):
        assert word not in page.lower(), word


def test_an_amendment_is_known_by_its_own_hash():
    study = make_open_study()
    version = services.study_amend(study=study, changes={"contact": "ask Grace"}, reason="Somebody else answers now.")
    first, second = page_of(study.protocol_sha256), page_of(version.sha256)
    assert "1 of 2" in first
    assert "2 of 2" in second
    assert "an amendment in force since" in second
    assert "Grace" not in second


@pytest.mark.parametrize("text", ["{}", "{} ", "sha256:{}", "{}  protocol.json\n", "{} *protocol.json"])
def test_a_hash_is_found_however_it_was_copied(text):
    study = make_frozen_study()
    for digest in (study.protocol_sha256, study.protocol_sha256.upper()):
        reply = Client().post(ASK, {"text": text.format(digest)})
        assert reply.url == reverse("verify:known", args=[study.protocol_sha256])


def test_a_file_and_its_text_are_hashed_and_found():
    study = make_frozen_study()
    file = SimpleUploadedFile("protocol.json", study.protocol.encode())
    for sent in ({"file": file}, {"text": study.protocol}, {"text": study.protocol + "\n"}):
        assert Client().post(ASK, sent).url == reverse("verify:known", args=[study.protocol_sha256])


def test_a_changed_file_is_not_known_and_nothing_is_an_answer_of_its_own():
    study = make_frozen_study()
    changed = SimpleUploadedFile("protocol.json", study.protocol.replace("7", "8", 1).encode())
    reply = Client().post(ASK, {"file": changed}, follow=True)
    assert reply.status_code == 404
    assert "is not known" in reply.content.decode()
    assert Client().post(ASK, {"text": "  "}).status_code == 400
    assert Client().get("/verify/abc/").status_code == 404


def test_looking_up_takes_no_account_no_cookie_and_few_questions(django_assert_max_num_queries):
    study, client = make_frozen_study(), Client(enforce_csrf_checks=True)
    assert client.post(ASK, {"text": study.protocol_sha256}).status_code == 302
    with django_assert_max_num_queries(3):
        reply = client.get(reverse("verify:known", args=[study.protocol_sha256]))
    assert not client.cookies
    assert "max-age=60" in reply["Cache-Control"]
    assert "public" in reply["Cache-Control"]


def test_a_page_that_names_who_is_signed_in_is_in_no_shared_cache(client):
    study = make_frozen_study()
    client.force_login(make_user(group="auditor"))
    assert "private" in client.get(reverse("verify:known", args=[study.protocol_sha256]))["Cache-Control"]


def test_a_rater_sees_there_what_a_stranger_sees():
    study, client = make_open_study(), Client()
    client.force_login(Evaluator.objects.get(user_id=make_rater(study, practised=False)).user)
    assert main_of(page_of(study.protocol_sha256, client)) == main_of(page_of(study.protocol_sha256))
