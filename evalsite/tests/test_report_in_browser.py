"""The report in a browser: paragraphs are copied by a button, and a figure in them leads to its row."""

import pytest
from django.conf import settings
from django.test import Client

from analysis.tests.factories import make_study, make_user
from evalsite.tests.test_whole_experiment import find_chromium

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(live_server, monkeypatch):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Playwright's own event loop lives in this thread; Django would take it for asynchronous code.
        monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        study = make_study(neurons=10, yes={"baseline": 2, "solu": 6}, sizes=("1L-256", "2L-256"))
        client = Client()
        client.force_login(make_user("researcher", "statistician"))
        name = settings.SESSION_COOKIE_NAME
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        page = context.new_page()
        page.goto(f"{live_server.url}/reports/{study.slug}/")
        yield page
        browser.close()


def test_the_button_copies_the_paragraphs_and_says_so(page):
    page.click("[data-copy]")
    page.wait_for_function("document.querySelector('[data-copied]').textContent === 'Copied.'")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("Methods")
    assert "Rows of report.json:" in copied


def test_a_figure_in_the_results_leads_to_its_row(page):
    contrast = page.locator("#paste a", has_text="points (95").first
    told = contrast.inner_text()
    contrast.click()
    target = page.locator("td:target")
    assert target.count() == 1
    assert target.inner_text().split()[0] == told.split()[0]
    assert target.is_visible()
