"""Screens that pages are looked at on, and what is measured there."""

from selenium.webdriver import Chrome

PHONE = (360, 640)
DESK = (1280, 800)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio of two CSS colours, "rgb(r, g, b)"."""
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def set_screen(browser: Chrome, screen: tuple[int, int], scheme: str, *, scripts: bool = True) -> None:
    width, height = screen
    metrics = {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": screen == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    media = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})
