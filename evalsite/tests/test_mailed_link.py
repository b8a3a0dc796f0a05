"""The link in a mail in a real browser: one click in the browser that asked, and nothing anywhere else."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from django.core.cache import cache

from evalsite.access import OWNER
from evalsite.tests.test_whole_experiment import browser, make_user  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_mailed_link_signs_in_where_it_was_asked_for_and_nowhere_else(browser, live_server):  # noqa: F811
    cache.clear()
    make_user("olga", OWNER)
    get_user_model().objects.update(email="olga@example.org")
    page = browser.new_page()
    page.goto(f"{live_server.url}/accounts/login/code/")
    page.fill("main input[name=email]", "olga@example.org")
    page.click("main button[type=submit]")
    page.wait_for_url("**/accounts/login/code/confirm/")
    link = re.search(r"http://\S+#\S+", mail.outbox[0].body)[0]
    other = browser.new_context().new_page()
    other.goto(link)
    other.wait_for_url("**/accounts/login/**")
    assert not other.locator("text=Sign out").count()
    page.goto("about:blank")
    page.goto(link)
    page.wait_for_url("**/studies/")
    assert page.locator("text=Sign out").count() == 1
