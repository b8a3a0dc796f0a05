"""Your own text in a browser: shades follow what is typed, a click drops a token, and undo brings it back."""

import pytest

from evalsite.access import STATISTICIAN
from evalsite.tests.test_whole_experiment import PASSWORD, Person, browser, make_user  # noqa: F401
from evalsite.tests.tiny import make_harvested_pair
from neurons.tests.inference.factories import own_folder

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
STARTED_MS = 60_000  # the first reading starts the service


@pytest.fixture
def reader(browser, live_server):  # noqa: F811
    with own_folder():
        make_harvested_pair()
        make_user("rita", STATISTICIAN)
        person = Person(browser, live_server, "rita", PASSWORD)
        yield person
        person.leave()


def pieces(page) -> list[str]:
    return page.eval_on_selector_all("button.piece", "all => all.map(one => one.dataset.name)")


def shades(page) -> list[str]:
    return page.eval_on_selector_all(
        "button.piece", "all => all.map(one => one.querySelector('mark')?.className ?? '')"
    )


def text_read(page, text):
    """Wait until the reading is of this text."""
    page.wait_for_function(
        "text => JSON.parse(document.querySelector('input[name=state]').value || '{}').text === text", arg=text
    )


def test_typing_shades_dropping_by_a_click_and_undoing(reader):
    page = reader.page
    reader.open("/neurons/networks/tiny-gelu/0/3/text/?snippet=1")
    page.wait_for_selector("button.piece", timeout=STARTED_MS)
    start = page.input_value("#text")
    assert "b5" in " ".join(shades(page))

    page.focus("#text")
    page.keyboard.press("Control+End")
    page.keyboard.type(" bagofi zoxita rosu")
    text_read(page, start + " bagofi zoxita rosu")
    typed = pieces(page), shades(page)
    assert page.input_value("#text") == start + " bagofi zoxita rosu"
    page.wait_for_selector("td:has-text('typed')")

    page.locator("button.piece").nth(2).click()
    page.wait_for_selector("td:has-text('dropped')")
    assert page.input_value("#text") != start + " bagofi zoxita rosu"
    assert page.evaluate("document.activeElement.className") == "piece"
    page.click("text=Undo the last edit")
    text_read(page, start + " bagofi zoxita rosu")
    assert page.input_value("#text") == start + " bagofi zoxita rosu"
    assert (pieces(page), shades(page)) == typed

    # The range is pinned: what is typed in front changes single shades, never the number that the strongest stands for.
    page.click("summary:has-text('Colour range')")
    page.fill("input[name=scale]", "0.0001")
    page.wait_for_selector("text=above the range")
    assert page.is_checked("input[name=range][value=own]")
    assert page.locator("mark.over").count() > 1


def test_the_last_of_many_quick_changes_wins(reader):
    page = reader.page
    reader.open("/neurons/networks/tiny-gelu/0/3/text/")
    for text in ("ba", "ba de", "ba de fi", "ba de fi go lu ma"):
        page.fill("#text", text)
        page.wait_for_timeout(150)
    page.wait_for_selector("button.piece", timeout=STARTED_MS)
    text_read(page, "ba de fi go lu ma")
    assert page.input_value("#text") == "ba de fi go lu ma"
    assert "".join(pieces(page)).replace("space", "").split() == "ba de fi go lu ma".split()


def test_the_page_works_without_a_script(browser, live_server):  # noqa: F811
    with own_folder():
        make_harvested_pair()
        make_user("rita", STATISTICIAN)
        person = Person(browser, live_server, "rita", PASSWORD)
        person.open("/neurons/")
        context = browser.new_context(java_script_enabled=False)
        context.add_cookies(person.context.cookies())
        page = context.new_page()
        page.set_default_timeout(STARTED_MS)
        page.goto(live_server.url + "/neurons/networks/tiny-gelu/0/3/text/?snippet=1")
        start = page.input_value("#text")
        page.click("button[value=read]")
        page.locator("button.piece").nth(1).click()
        page.wait_for_selector("td:has-text('dropped')")
        assert page.input_value("#text") != start
        page.click("text=Undo the last edit")
        assert page.input_value("#text") == start
        context.close()
        person.leave()
