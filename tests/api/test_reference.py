"""/docs: the API as a page, in a real browser."""

import httpx
import pytest
from selenium.webdriver import Chrome

from tests.api.exchange import operations
from tests.screens import DESK, PHONE, contrast, set_screen
from tests.support import ServerProcess

# What a browser makes of the page, measured in it, with everything unfolded.
MEASURE = """
    document.querySelectorAll("details").forEach(each => each.open = true);
    const paper = element => {
        for (; element; element = element.parentElement) {
            const colour = getComputedStyle(element).backgroundColor;
            if (colour !== "rgba(0, 0, 0, 0)") return colour;
        }
    };
    const texts = [...document.querySelectorAll("h1, h2, h3, h4, p, a, code, dt, dd, span, summary")];
    return {
        overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        colours: [...new Set(texts.map(each => getComputedStyle(each).color + "|" + paper(each)))],
        loaded: performance.getEntriesByType("resource").map(entry => entry.name),
        lost: [...document.querySelectorAll("a")].map(each => each.getAttribute("href"))
            .filter(target => !target.startsWith("#") || !document.getElementById(target.slice(1))),
    };
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [PHONE, (390, 844), DESK], ids=["small phone", "phone", "desk"])
def test_the_page_fits_and_is_readable_and_loads_nothing(
    browser: Chrome, server: ServerProcess, screen: tuple[int, int], scheme: str
) -> None:
    browser.get_log("browser")  # type: ignore[no-untyped-call]  # what it has told of others' pages goes
    set_screen(browser, screen, scheme, scripts=False)
    browser.get(f"{server.url}/docs")
    set_screen(browser, screen, scheme)
    measured = browser.execute_script(MEASURE)
    assert measured["overflow"] <= 0
    assert measured["loaded"] == []
    assert measured["lost"] == []
    assert min(contrast(*pair.split("|")) for pair in measured["colours"]) >= 4.5
    refused = browser.get_log("browser")  # type: ignore[no-untyped-call]
    assert refused == []


def test_every_operation_is_on_the_page(browser: Chrome, server: ServerProcess) -> None:
    set_screen(browser, DESK, "light")
    browser.get(f"{server.url}/docs")
    contents = [link.get_dom_attribute("href") for link in browser.find_elements("css selector", "nav a")]
    for each in operations():
        told = browser.find_element("id", each.operation.name).text
        assert each.operation.summary in told
        assert each.method in told
        assert each.path in told
        assert f"#{each.operation.name}" in contents


def test_the_page_may_load_nothing_and_run_nothing(server: ServerProcess) -> None:
    answer = httpx.get(f"{server.url}/docs", verify=False)
    policy = answer.headers["content-security-policy"]
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert "script-src" not in policy
