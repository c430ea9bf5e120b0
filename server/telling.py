"""How webhooks are told: by which way, and by the format that each was made with in which words."""

from collections.abc import Callable

from server.api.answers import Answers
from server.dialects import dialects
from server.domain.delivery import NATIVE, Voice
from server.hooks import signature
from server.hooks.deliverer import AT_ONCE, WITHIN_S, Means
from server.outbound import Outbound
from server.parts import short_urls
from server.settings import Settings
from server.wire import json_bytes


def means(config: Settings, at_the_end: Callable[[Callable[[], None]], object]) -> Means:
    """What is given to `at_the_end` is to be called there."""
    outbound = Outbound(
        http=config.fetch_http,
        within_s=WITHIN_S,
        max_lookups=AT_ONCE,
        networks=config.outbound_networks,
        deed="send to",
    )
    at_the_end(outbound.close)
    answers = Answers(config.base_url, short_urls(config))
    voices = {NATIVE: Voice(body=lambda event: json_bytes(answers.event(event)), headers=signature.headers)}
    for each in dialects().values():
        voices |= each.voices(config.base_url)
    return Means(outbound.post, voices)
