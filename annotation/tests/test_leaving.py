"""Leaving: the seat becomes free, the answers stand or are set aside, the person goes, and the numbers stay honest."""

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotation import services
from annotation.audit.protect import protection_lifted
from annotation.blinding import blind_judgment_submit, blind_next, blind_where
from annotation.models import (
    ArmGuess,
    ConflictDeclaration,
    ConsentRecord,
    Evaluator,
    Judgment,
    LogActor,
    PersonErasure,
    Seat,
    SeatVacancy,
    StudyEvent,
)
from annotation.selectors import judgments_sha256
from annotation.services.errors import AccountRefused
from annotation.services.invitations import personal_link_make
from annotation.services.leaving import ERASED, rater_erase, rater_withdraw
from annotation.services.log import event_add
from annotation.tests.factories import (
    agree,
    make_answer,
    make_closed_study,
    make_open_study,
    make_rater,
    make_unblinded_study,
    make_user,
    rate_all,
)

pytestmark = pytest.mark.django_db
TEXT = "We ask you to rate neurons."


def make_asking_study(**consent):
    return make_open_study(consent={"text": TEXT, **consent})


def rate_one(user, study):
    page = blind_next(user, study.slug)
    blind_judgment_submit(user, page.assignment, make_answer(), f"key-{page.assignment}")


def evaluator_of(user) -> Evaluator:
    return Evaluator.objects.get(user_id=user)


def client_of(user) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.get(pk=user))
    return client


# -- Stopping ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "counting"), [("keep", 1), ("set aside", 0)])
def test_a_rater_who_stops_frees_the_seat_and_the_answers_follow_the_studys_rule(rule, counting):
    study = make_asking_study(withdrawal=rule)
    user = make_rater(study)
    rate_one(user, study)
    rater_withdraw(evaluator=evaluator_of(user), study=study)
    assert not Seat.objects.filter(evaluator__user=user).exists()
    assert (Judgment.objects.count(), Judgment.objects.filter(is_current=True).count()) == (1, counting)
    vacancy = SeatVacancy.objects.get()
    assert (vacancy.kept, vacancy.answers, vacancy.evaluator) == (rule == "keep", 1, evaluator_of(user))
    assert ConsentRecord.objects.last().answer == "withdrawn"


def test_whoever_comes_back_is_asked_again():
    study = make_asking_study()
    user = make_rater(study)
    rater_withdraw(evaluator=evaluator_of(user), study=study)
    services.seat_take(study=study, evaluator=evaluator_of(user))
    assert blind_where(user, study.slug) == "consent"
    agree(user, study)
    assert blind_where(user, study.slug) == "instructions"


def test_a_seat_whose_answers_are_all_in_and_stand_is_not_given_away_empty():
    study = make_asking_study(withdrawal="keep")
    user = make_rater(study)
    given = rate_all(user, study)
    rater_withdraw(evaluator=evaluator_of(user), study=study)
    assert Seat.objects.get(evaluator__user=user).number == 1
    assert Judgment.objects.filter(is_current=True).count() == given
    assert StudyEvent.objects.filter(action="rater stopped").exists()


def test_stopping_is_on_every_page_of_a_rater_and_works_without_a_script():
    study = make_asking_study()
    user = make_rater(study)
    client, leave = client_of(user), reverse("people:leave", args=[study.slug])
    for page in ("next", "instructions", "consent"):
        assert leave in client.get(reverse(f"evaluator:{page}", args=[study.slug])).content.decode()
    assert "Stop taking part" in client.get("/rate/").content.decode()
    assert client.get(leave).status_code == 200
    assert Seat.objects.filter(evaluator__user=user).exists()
    client.post(leave)
    assert not Seat.objects.filter(evaluator__user=user).exists()
    assert client.get(leave).status_code == 404


def test_who_does_not_agree_is_led_to_the_way_out():
    study = make_asking_study()
    user = make_rater(study, practised=False)
    version = study.rater_text["consent"]["version"]
    reply = client_of(user).post(reverse("evaluator:consent", args=[study.slug]), {"version": version, "agrees": "no"})
    assert reply.url == reverse("people:leave", args=[study.slug])


def test_a_closed_study_keeps_its_answers_and_says_so():
    study = make_closed_study(consent={"text": TEXT, "withdrawal": "set aside"}, raters=1)
    client, before = client_of(Seat.objects.get().evaluator.user_id), judgments_sha256(study)
    assert "closed" in client.get(reverse("people:leave", args=[study.slug])).content.decode()
    client.post(reverse("people:leave", args=[study.slug]))
    assert judgments_sha256(study) == before


# -- Erasure -----------------------------------------------------------------------------------------------------------


def test_erasing_a_person_removes_the_account_and_all_that_hangs_on_it_and_keeps_the_judgments():
    study = make_asking_study(ask_conflicts=True)
    user = make_rater(study)
    evaluator = evaluator_of(user)
    personal_link_make(evaluator=evaluator)
    event_add(study, evaluator.user, "looked")
    rate_one(user, study)
    rater_erase(evaluator=evaluator)
    assert not get_user_model().objects.filter(pk=user).exists()
    evaluator.refresh_from_db()
    assert evaluator.user is None
    assert not hasattr(evaluator, "personal_link")
    assert not LogActor.objects.filter(user__isnull=False, public_id__in=StudyEvent.objects.values("actor__public_id"))
    assert ConflictDeclaration.objects.get().text == ""
    assert Judgment.objects.filter(is_current=True).count() == 1
    assert Judgment.objects.get().rule != ERASED
    assert services.study_problems(study) == []


def test_the_log_of_an_erased_person_still_holds():
    study = make_asking_study()
    user = make_rater(study)
    name = evaluator_of(user).user.username
    rater_erase(evaluator=evaluator_of(user))
    assert not any(name in record for record in StudyEvent.objects.values_list("record", flat=True))
    call_command("audit_verify")


@pytest.mark.parametrize("left_before", [False, True])
def test_where_the_rule_says_so_the_answers_are_set_aside_and_the_words_go(left_before):
    study = make_asking_study(withdrawal="set aside", erase_words=True)
    user, other = make_rater(study), make_rater(study)
    rate_one(user, study)
    rate_one(other, study)
    evaluator = evaluator_of(user)
    if left_before:
        rater_withdraw(evaluator=evaluator, study=study)
    rater_erase(evaluator=evaluator)
    mine, theirs = Judgment.objects.order_by("id")
    assert (mine.is_current, mine.rule, mine.verdict) == (False, ERASED, "yes")
    assert (theirs.is_current, theirs.rule) == (True, make_answer().rule)
    record = PersonErasure.objects.get()
    assert (record.set_aside, record.texts_erased) == (0 if left_before else 1, 1)


def test_an_erasure_after_unblinding_is_on_record_and_the_study_still_verifies():
    study = make_unblinded_study(consent={"text": TEXT, "withdrawal": "set aside", "erase_words": True})
    first, second = (seat.evaluator for seat in Seat.objects.filter(study=study))
    for evaluator in (first, second):
        rater_erase(evaluator=evaluator)
        assert services.study_problems(study) == []
    one, other = PersonErasure.objects.all()
    assert one.before_sha256 == study.unblinding.judgments_sha256
    assert (one.after_sha256, other.after_sha256) == (other.before_sha256, judgments_sha256(study))


def test_a_judgment_changed_after_an_erasure_is_found():
    study = make_unblinded_study(consent={"text": TEXT, "withdrawal": "set aside"})
    rater_erase(evaluator=Seat.objects.filter(study=study).first().evaluator)
    with protection_lifted():
        Judgment.objects.filter(assignment__seat__study=study).update(rule="another rule")
    assert services.study_problems(study) == ["The judgments changed after unblinding."]


def test_reasons_of_guesses_go_with_the_words():
    study = make_open_study(consent={"text": TEXT, "erase_words": True}, guess={"items": 1}, raters=1)
    user = make_rater(study)
    rate_all(user, study)
    ArmGuess.objects.update(reason="it looked like code")
    rater_erase(evaluator=evaluator_of(user))
    assert ArmGuess.objects.get().reason in {"", ERASED}


def test_a_person_is_erased_once():
    study = make_asking_study()
    evaluator = evaluator_of(make_rater(study))
    rater_erase(evaluator=evaluator)
    with pytest.raises(AccountRefused, match="erased already"):
        rater_erase(evaluator=evaluator)


def test_a_rater_erases_themself_after_saying_so():
    user = make_rater(make_asking_study())
    client = client_of(user)
    client.post("/accounts/erase/", {})
    assert get_user_model().objects.filter(pk=user).exists()
    assert "You are erased" in client.post("/accounts/erase/", {"sure": "yes"}).content.decode()
    assert not get_user_model().objects.filter(pk=user).exists()
    assert client.get("/rate/").status_code == 302


def test_an_admin_erases_a_person_by_pseudonym(client):
    user = make_rater(make_asking_study())
    pseudonym = evaluator_of(user).pseudonym
    client.force_login(make_user(group="admin"))
    assert pseudonym in client.get("/studies/-/raters/").content.decode()
    address = f"/studies/-/raters/{pseudonym}/erase/"
    client.post(address, {"typed": "somebody else"})
    assert get_user_model().objects.filter(pk=user).exists()
    client.post(address, {"typed": pseudonym})
    assert not get_user_model().objects.filter(pk=user).exists()
    assert client.get(address).status_code == 404
    assert "erased" in client.get("/studies/-/raters/").content.decode()


def test_the_command_erases_and_says_what_it_did(capsys):
    study = make_asking_study(withdrawal="set aside")
    user = make_rater(study)
    rate_one(user, study)
    call_command("rater_erase", evaluator_of(user).pseudonym)
    assert "1 answers set aside" in capsys.readouterr().out
    with pytest.raises(CommandError, match="no rater"):
        call_command("rater_erase", "nobody")
