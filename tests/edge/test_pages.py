"""The pages a person sees, in a real browser."""

import base64

import pytest
from selenium.webdriver import Chrome

from server.edge.pages import Page
from tests.support import ServerProcess

PHONE = (360, 640)
DESK = (1280, 800)

# What a browser makes of a page, measured in it.
MEASURE = """
    const heading = document.querySelector("h1"), advice = document.querySelector("p");
    return {
        overflow: document.documentElement.scrollWidth - innerWidth,
        below: advice.getBoundingClientRect().bottom - innerHeight,
        aside: heading.getBoundingClientRect().left + heading.getBoundingClientRect().right - innerWidth,
        size: parseFloat(getComputedStyle(advice).fontSize),
        colours: [heading, advice].map(element => getComputedStyle(element).color),
        paper: getComputedStyle(document.body).backgroundColor,
        loaded: performance.getEntriesByType("resource").map(entry => entry.name),
    };
"""


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio of two CSS colours, "rgb(r, g, b)"."""
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("page", Page, ids=lambda page: page.name.lower())
def test_a_page_is_readable_without_scrolling(
    browser: Chrome, page: Page, screen: tuple[int, int], scheme: str
) -> None:
    width, height = screen
    metrics = {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": screen == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    media = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    browser.get(f"data:text/html;base64,{base64.b64encode(page.body).decode()}")
    measured = browser.execute_script(MEASURE)
    assert measured["overflow"] == 0
    assert measured["below"] <= 0
    assert abs(measured["aside"]) <= 1
    assert measured["size"] >= 16
    assert min(contrast(colour, measured["paper"]) for colour in measured["colours"]) >= 4.5
    assert measured["loaded"] == []


def test_a_lost_phone_sees_the_page(browser: Chrome, server: ServerProcess) -> None:
    browser.get(f"{server.url}/nowhere")
    assert browser.title == "This code leads nowhere"
    assert browser.find_element("tag name", "h1").text == "This code leads nowhere"
