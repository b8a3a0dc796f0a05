"""The site speaks English and German: marked texts are translated, and a language changes words and nothing else."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.translation.template import templatize

from annotation.evaluator.wording import in_words
from annotation.models import Evaluator
from annotation.tests.factories import make_frozen_study, make_open_study, make_rater, make_unblinded_study
from evalsite.access import ADMIN, STATISTICIAN
from evalsite.tests.test_access import make_user

SIGN_IN, SWITCH = "/accounts/login/", "/accounts/language/"
GERMAN, FRENCH = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}, {"Accept-Language": "fr"}
CATALOGUES = sorted(Path(settings.LOCALE_PATHS[0]).glob("*/LC_MESSAGES/django.po"))
APPS = ("analysis", "annotation", "evalsite", "neurons")
MARKS = {"_", "gettext", "gettext_lazy", "gettext_noop", "pgettext", "pgettext_lazy", "ngettext", "ngettext_lazy"}
STRING = r"""(?:u?'(?:\\.|[^'\\])*'|u?"(?:\\.|[^"\\])*")"""
MARKED = re.compile(rf"\b(_|[np]*gettext)\(\s*({STRING}(?:\s*,\s*{STRING})*)")
# What a translation must keep: placeholders, percent signs, tags and keys.
KEPT = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w*\}|</?\w+[^>]*>")
WHAT_TO_DO = "see docs/translating.md: make the messages, translate what is new, compile"


def german():
    return polib.pofile(settings.LOCALE_PATHS[0] / "de" / "LC_MESSAGES" / "django.po")


def rater_client(study) -> Client:
    client = Client()
    client.force_login(Evaluator.objects.get(user_id=make_rater(study)).user)
    return client


def words_of(page: bytes) -> str:
    """What a reader sees of a page, and what its attributes say, in one line."""
    return re.sub(r"\s+", " ", page.decode())


def left_in_english(page: bytes) -> set[str]:
    """Texts of several words that stand on a German page as they are in the source."""
    text = words_of(page)
    phrases = {entry.msgid for entry in german() if entry.msgid.count(" ") >= 2 and entry.msgid != entry.msgstr}
    return {phrase for phrase in phrases if phrase.replace("%%", "%") in text}


# -- The catalogue -----------------------------------------------------------------------------------------------------


def sources(pattern: str) -> Iterator[Path]:
    for app in APPS:
        yield from (path for path in (settings.BASE_DIR / app).rglob(pattern) if "tests" not in path.parts)


def marked_in_templates() -> Iterator[tuple[str, str]]:
    """Context and text of everything that templates mark, as Django itself reads them."""
    for path in sources("*.html"):
        for name, strings in MARKED.findall(templatize(path.read_text(), origin=str(path))):
            said = ast.literal_eval(f"({strings},)")
            yield (said[0], said[1]) if name.startswith("p") else ("", said[0])


def marked_in_code() -> Iterator[tuple[str, str]]:
    for path in sources("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
                said = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
                if said:
                    yield (said[0], said[1]) if node.func.id.startswith("p") else ("", said[0])


def test_more_than_one_language_is_shipped_and_each_has_a_catalogue():
    codes = {code for code, _ in settings.LANGUAGES} - {settings.LANGUAGE_CODE}
    assert codes == {path.parent.parent.name for path in CATALOGUES} == {"de"}


@pytest.mark.parametrize("marked", [marked_in_templates, marked_in_code])
def test_every_marked_text_is_in_the_catalogue(marked):
    found, known = set(marked()), {(entry.msgctxt or "", entry.msgid) for entry in german()}
    assert len(found) > 100
    assert found <= known, f"{sorted(found - known)}: {WHAT_TO_DO}"


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.parent.name)
def test_every_text_of_a_catalogue_is_translated(path):
    catalogue = polib.pofile(path)
    assert [entry.msgid for entry in catalogue if not entry.translated() or entry.fuzzy] == [], WHAT_TO_DO


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.parent.name)
def test_a_compiled_catalogue_holds_exactly_what_its_source_says(path):
    def held(file):
        return {(entry.msgctxt, entry.msgid): entry.msgstr_plural or entry.msgstr for entry in file}

    assert held(polib.mofile(path.with_suffix(".mo"))) == held(polib.pofile(path)), WHAT_TO_DO


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.parent.name)
def test_translations_keep_placeholders_tags_and_keys(path):
    for entry in polib.pofile(path):
        # One of something may be said without its number.
        wanted = [Counter(KEPT.findall(text)) for text in (entry.msgid, entry.msgid_plural) if text]
        for text in entry.msgstr_plural.values() or [entry.msgstr]:
            assert Counter(KEPT.findall(text)) in wanted, entry.msgid


# -- Which language a page is in ---------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_sign_in_page_is_german_for_a_german_browser(client):
    page = client.get(SIGN_IN, headers=GERMAN).content
    assert b'<html lang="de">' in page
    assert "Passwort vergessen?" in page.decode()
    assert not left_in_english(page)
    assert not re.search(r">(Sign in|Password|Save|Studies)<", page.decode())


@pytest.mark.django_db
@pytest.mark.parametrize("headers", [{}, FRENCH], ids=["no wish", "a language that is not shipped"])
def test_english_stays_the_language_of_everybody_else(client, headers):
    page = client.get(SIGN_IN, headers=headers).content.decode()
    assert '<html lang="en">' in page
    assert "Forgotten the password?" in page


@pytest.mark.django_db
def test_a_language_is_chosen_with_a_form_and_kept(client):
    assert f'action="{SWITCH}"' in client.get(SIGN_IN).content.decode()
    answer = client.post(SWITCH, {"language": "de"}, headers={"Referer": f"http://testserver{SIGN_IN}?next=/rate/"})
    assert answer.url == f"http://testserver{SIGN_IN}?next=/rate/"
    assert b'<html lang="de">' in client.get(SIGN_IN, headers={"Accept-Language": "en"}).content
    cookie = client.cookies[settings.LANGUAGE_COOKIE_NAME]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


@pytest.mark.django_db
def test_a_choice_leads_to_no_other_site_and_to_no_language_that_is_not_shipped(client):
    answer = client.post(SWITCH, {"language": "de"}, headers={"Referer": "https://elsewhere.example/"})
    assert answer.url == "/"
    client.post(SWITCH, {"language": "tlh"})
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "de"


# -- What a rater and an admin read ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_rater_reads_german_and_the_study_s_own_words_stay():
    study = make_open_study()
    client = rater_client(study)
    home = client.get("/rate/", headers=GERMAN)
    page = client.get(reverse("evaluator:next", args=[study.slug]), headers=GERMAN)
    assert "Meine Studien" in home.content.decode()
    text = words_of(page.content)
    assert "Wie sicher sind Sie?" in text
    assert study.rater_text["question"] in text
    assert not left_in_english(home.content)
    assert not left_in_english(page.content) - {study.rater_text["question"]}


def refused_with() -> Iterator[str]:
    """Every sentence with which the gate, the tasks and the reader of answers refuse, its blanks filled with 7."""
    names = {"AnswerRefused", "AnswerProblem", "StudyNotOpen", "StudyPaused"}
    for folder in ("blinding", "protocols", "evaluator"):
        for path in (settings.BASE_DIR / "annotation" / folder).glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names:
                    yield from (said for part in node.args if (said := spoken(part)).count(" ") > 1)


def spoken(part: ast.expr) -> str:
    values = part.values if isinstance(part, ast.JoinedStr) else [part]
    constants = [value.value if isinstance(value, ast.Constant) else "7" for value in values]
    return "".join(map(str, constants))


def test_every_refusal_that_a_rater_can_meet_is_said_in_german():
    sentences = {*refused_with(), "Question 7: choose A or B; guess if you do not know."}
    assert len(sentences) > 20
    with translation.override("de"):
        assert {sentence for sentence in sentences if in_words(sentence) == sentence} == set()
        filled = in_words("The rule has 9 characters; shorten it to 7.")
        assert filled == "Die Regel hat 9 Zeichen; kürzen Sie sie auf 7."
    assert in_words("Something else.") == "Something else."


@pytest.mark.django_db
def test_numbers_for_the_script_and_replies_are_the_same_in_every_language():
    study = make_open_study()
    client, address = rater_client(study), reverse("evaluator:next", args=[study.slug])
    numbers = re.compile(r'data-[a-z-]+="[\d.,]+"')
    pages = [client.get(address, headers=headers).content.decode() for headers in ({}, GERMAN)]
    assert 'data-threshold="0.8"' in pages[1]
    assert numbers.findall(pages[0]) == numbers.findall(pages[1])
    said = [client.get(address, headers={"Accept": "application/json", **extra}).content for extra in ({}, GERMAN)]
    assert said[0] == said[1]


@pytest.mark.django_db
def test_a_report_gives_the_same_numbers_in_every_language(client):
    client.force_login(make_user(STATISTICIAN))
    study = make_unblinded_study()
    pages = [client.get(f"/reports/{study.slug}/", headers=headers).content.decode() for headers in ({}, GERMAN)]
    numbers = re.compile(r"\d+[.,]\d+")
    assert len(numbers.findall(pages[0])) > 10
    assert numbers.findall(pages[1]) == numbers.findall(pages[0])


@pytest.mark.django_db
def test_numbers_in_fields_are_written_and_read_with_a_point_in_every_language(client):
    client.force_login(make_user(ADMIN))
    values = re.compile(r'value="(\d+[.,]\d+)"')
    english, german_page = (client.get("/plan/", headers=headers).content.decode() for headers in ({}, GERMAN))
    assert "." in "".join(values.findall(english))
    assert values.findall(german_page) == values.findall(english)


@pytest.mark.django_db
def test_an_admin_reads_german_on_a_study_s_page(client):
    client.force_login(make_user(ADMIN))
    study = make_open_study()
    page = client.get(f"/studies/{study.slug}/", headers=GERMAN)
    assert "Plätze sind frei: Vergeben Sie jeden freien Platz." in page.content.decode()
    assert not left_in_english(page.content)


@pytest.mark.django_db
def test_what_is_written_in_english_only_is_marked_as_english_for_screen_readers(client):
    client.force_login(make_user(ADMIN))
    tag = re.compile(r'<main [^>]*lang="en"')
    for address in ("/reports/", "/neurons/"):
        assert tag.search(client.get(address, headers=GERMAN).content.decode()), address
        assert not tag.search(client.get(address).content.decode()), address
    assert not tag.search(client.get("/studies/", headers=GERMAN).content.decode())


@pytest.mark.django_db
def test_what_is_frozen_is_the_same_whatever_language_the_admin_reads():
    with translation.override("de"):
        german_study = make_frozen_study(slug="frozen-in-german")
    english_study = make_frozen_study(slug="frozen-in-english")
    assert german_study.rater_text == english_study.rater_text
    # Times, hashes, and the ids of items, which are drawn anew for every study.
    drawn = re.compile(r'\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)|[0-9a-f]{64}|"[\w-]{16}"')
    one, other = (drawn.sub("", study.protocol.replace(study.slug, "")) for study in (german_study, english_study))
    assert one == other
