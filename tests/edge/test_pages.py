"""The pages a person sees, in a real browser."""

import base64

import httpx
import pytest
from selenium.webdriver import Chrome, Keys

from server.edge.pages import Page
from tests.api.exchange import new_link
from tests.screens import DESK, PHONE, contrast, set_screen
from tests.support import ServerProcess, sql, until

# What a browser makes of a page, measured in it.
MEASURE = """
    const heading = document.querySelector("h1"), advice = document.querySelector("p");
    return {
        overflow: document.documentElement.scrollWidth - innerWidth,
        below: document.querySelector("main").getBoundingClientRect().bottom - innerHeight,
        aside: heading.getBoundingClientRect().left + heading.getBoundingClientRect().right - innerWidth,
        // iOS zooms in on a field whose text is smaller than 16 px.
        sizes: [...document.querySelectorAll("p, label, input, button")].map(
            element => parseFloat(getComputedStyle(element).fontSize)),
        targets: [...document.querySelectorAll("input, button")].map(
            element => element.getBoundingClientRect().height),
        colours: [heading, advice, ...document.querySelectorAll("label")].map(
            element => [getComputedStyle(element).color, getComputedStyle(document.body).backgroundColor]
        ).concat([...document.querySelectorAll("input, button")].map(
            element => [getComputedStyle(element).color, getComputedStyle(element).backgroundColor])),
        loaded: performance.getEntriesByType("resource").map(entry => entry.name),
    };
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("page", Page, ids=lambda page: page.name.lower())
def test_a_page_is_readable_without_scrolling(
    browser: Chrome, page: Page, screen: tuple[int, int], scheme: str
) -> None:
    set_screen(browser, screen, scheme)
    browser.get(f"data:text/html;base64,{base64.b64encode(page.body).decode()}")
    measured = browser.execute_script(MEASURE)
    assert measured["overflow"] == 0
    assert measured["below"] <= 0
    assert abs(measured["aside"]) <= 1
    assert min(measured["sizes"]) >= 16
    assert min([*measured["targets"], 48]) >= 44  # WCAG 2.2, 2.5.5: what a thumb hits
    assert min(contrast(ink, paper) for ink, paper in measured["colours"]) >= 4.5
    assert measured["loaded"] == []


def test_a_lost_phone_sees_the_page(browser: Chrome, server: ServerProcess) -> None:
    browser.get(f"{server.url}/nowhere")
    assert browser.title == "This code leads nowhere"
    assert browser.find_element("tag name", "h1").text == "This code leads nowhere"


def test_a_locked_link_opens_in_a_browser_without_scripts(
    browser: Chrome, server: ServerProcess, api: httpx.Client
) -> None:
    """By the keyboard alone, as a phone's "Go" is its Enter."""
    link = new_link(api, destination=f"{server.url}/livez", password="sésame", forward_query=True)
    set_screen(browser, PHONE, "light", scripts=False)
    try:
        browser.get(f"{link['short_url']}?table=7")
        assert browser.title == "This link has a password"
        field = browser.switch_to.active_element
        assert field.accessible_name == "Password"
        assert field.get_attribute("autocomplete") == "off"
        field.send_keys("wrong", Keys.ENTER)
        until(lambda: browser.title == "That is not the password", what="the form again")
        field = browser.switch_to.active_element
        assert (field.accessible_name, field.get_attribute("aria-invalid")) == ("Password", "true")
        assert field.get_attribute("value") == ""
        field.send_keys("sésame", Keys.ENTER)
        until(lambda: browser.current_url == f"{server.url}/livez?table=7", what="the destination")
    finally:
        set_screen(browser, DESK, "light")
    # A browser without a head says so, and counts as a bot.
    scans = "SELECT sum(scans + bots) FROM scan_totals JOIN links ON id = link_id WHERE slug = $1"
    until(lambda: sql(server.database_url, scans, link["slug"])[0][0] == 1, what="one scan")
