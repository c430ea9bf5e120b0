"""User agents as phones, desks, televisions and programs send them."""

import pytest
from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from server.scans.agent import MAX_NAME, MAX_VERSION, TOOL, Agent, agent

WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {WEBKIT}"
BLINK = "AppleWebKit/537.36 (KHTML, like Gecko)"
CHROME = f"{BLINK} Chrome/130.0.0.0"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{IPHONE} Version/18.1 Mobile/15E148 Safari/604.1", Agent("mobile", "iOS", "Mobile Safari", "18")),
        (
            f"Mozilla/5.0 (Linux; Android 10; K) {CHROME} Mobile Safari/537.36",
            Agent("mobile", "Android", "Chrome Mobile", "130"),
        ),
        (f"Mozilla/5.0 (Linux; Android 10; K) {CHROME} Safari/537.36", Agent("tablet", "Android", "Chrome", "130")),
        (
            f"Mozilla/5.0 (iPad; CPU OS 12_2 like Mac OS X) {WEBKIT} Version/12.1 Mobile/15E148 Safari/604.1",
            Agent("tablet", "iOS", "Mobile Safari", "12"),
        ),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/130.0.0.0",
            Agent("desktop", "Windows", "Edge", "130"),
        ),
        (
            f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/18.0 Safari/605.1.15",
            Agent("desktop", "Mac OS X", "Safari", "18"),
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0",
            Agent("desktop", "Linux", "Firefox", "131"),
        ),
        (
            f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {CHROME} Safari/537.36",
            Agent("desktop", "Chrome OS", "Chrome", "130"),
        ),
        (f"Mozilla/5.0 (Web0S; Linux/SmartTV) {CHROME} Safari/537.36", Agent("tv", "Web0S", "Chrome", "130")),
        (
            f"Mozilla/5.0 (Linux; Android 9; AFTKA; wv) {BLINK} Version/4.0 Chrome/88.0 Mobile Safari/537.36",
            Agent("tv", "Android", "Chrome", "88"),
        ),
        ("", Agent("other")),
        ("phon\ufffd e", Agent("other")),
    ],
)
def test_what_a_person_holds(text: str, expected: Agent) -> None:
    assert agent(text) == expected


@pytest.mark.parametrize(
    "app",
    [
        "Mobile/15E148 Instagram 330.0.3.29.83 (iPhone14,5; iOS 17_5; en_US)",
        "Mobile/15E148 [FBAN/FBIOS;FBAV/463.1.0.30.107;FBDV/iPhone14,5;FBSN/iOS]",
        "Mobile/15E148 [Pinterest/iOS]",
        "Mobile/15E148 Snapchat/12.80.0.36 (like Safari/8617.2.4.10.8, panda)",
        "Mobile/15E148 [LinkedInApp]/9.29.6137",
        "Mobile/15E148 Twitter for iPhone/10.15",
        "Mobile/15E148 MicroMessenger/8.0.30(0x18001e31) NetType/WIFI Language/zh_CN",
    ],
)
def test_the_browser_in_an_app_is_no_bot_though_the_app_has_one(app: str) -> None:
    assert agent(f"{IPHONE} {app}").device == "mobile"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("WhatsApp/2.23.20.0 A", "WhatsApp"),
        ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "facebookexternalhit"),
        ("meta-externalagent/1.1", "meta-externalagent"),
        ("Twitterbot/1.0", "Twitterbot"),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "Slackbot"),
        ("TelegramBot (like TwitterBot)", "TelegramBot"),
        ("Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", "Discordbot"),
        (
            "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
            "LinkedInBot",
        ),
        # iMessage, whose previews say they are two others.
        (
            f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) {WEBKIT} Version/9.0.1 Safari/601.2.4 "
            "facebookexternalhit/1.1 Facebot Twitterbot/1.0",
            "facebookexternalhit",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) {CHROME} Mobile Safari/537.36 "
            "(compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Googlebot",
        ),
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "bingbot"),
        (
            f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) {WEBKIT} Version/13.1.1 Safari/605.1.15 "
            "(Applebot/0.1; +http://www.apple.com/go/applebot)",
            "Applebot",
        ),
        ("Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5", "SkypeUriPreview"),
        ("Mozilla/5.0 (compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "UptimeRobot"),
        (f"Mozilla/5.0 (X11; Linux x86_64) {BLINK} HeadlessChrome/120.0 Safari/537.36", "HeadlessChrome"),
        ("Nodebot/1.0 (+http://example.com/bot)", "Nodebot"),  # which only begins like a tool
    ],
)
def test_previews_and_crawlers_are_bots_and_have_names(text: str, name: str) -> None:
    assert (agent(text).device, agent(text).bot) == ("bot", name)


def test_what_is_made_up_is_kept_no_longer_than_names_are() -> None:
    found = agent(f"Mozilla/5.0 (compatible; {'x' * 300}bot/{'1' * 200})")
    assert found.device == "bot"
    assert len(found.bot or "") <= MAX_NAME
    assert len(found.browser or "") <= MAX_NAME
    assert agent(f"Mozilla/5.0 (Windows NT 10.0) Firefox/{'1' * 300}.0").browser_version == "1" * MAX_VERSION


@pytest.mark.parametrize(
    "text",
    ["curl/8.5.0", "Wget/1.21.3", "python-requests/2.31", "python-httpx/0.28.1", "Go-http-client/2.0", "k6/0.52"],
)
def test_a_tool_that_somebody_runs_is_no_bot(text: str) -> None:
    assert agent(text).device == "other"


def test_every_agent_that_is_known_to_be_a_crawler_is_one_with_a_name() -> None:
    known = [text for each in CRAWLER_USER_AGENTS_DATA for text in each.get("instances", ())]
    assert len(known) > 2_000
    found = {text: agent(text) for text in known if not TOOL.match(text)}
    assert [text for text, each in found.items() if each.device != "bot" or not each.bot] == []
