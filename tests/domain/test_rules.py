"""Rules: what holds for whom, when, and how visitors are split."""

from collections import Counter
from dataclasses import replace
from datetime import datetime

import pytest

from server.domain.decide import GuardedLink, Redirect, decide
from server.domain.destination import Destination
from server.domain.errors import InvalidValue
from server.domain.guards import Guards
from server.domain.model import LinkId
from server.domain.rules import MAX_RULES, Visitor, examine_rules, plain_rules, rules_of

HERE = "https://example.com/"
A, B, C = "https://a.example/", "https://b.example/", "https://c.example/"
FRIDAY_NOON = "2026-11-20T12:00Z"

Json = dict[str, object]


def led_to(rules: list[Json], visitor: Visitor, at: str = FRIDAY_NOON, link: int = 1) -> str:
    guarded = GuardedLink(
        link_id=LinkId(link), destination=Destination(HERE), guards=Guards(rules=rules_of(rules)), deleted=False
    )

    def ask(*, with_country: bool) -> Visitor:
        return visitor if with_country else replace(visitor, country=None)

    decision = decide(guarded, now=datetime.fromisoformat(at), query=b"", unlocked=False, visitor=ask)
    assert isinstance(decision, Redirect)
    return decision.location


PHONE = Visitor(device="mobile", os="ios", country="FR", language="fr-CH")


@pytest.mark.parametrize(
    ("when", "visitor", "holds"),
    [
        ({}, Visitor(), True),
        ({"device": ["mobile"]}, PHONE, True),
        ({"device": ["tablet", "mobile"]}, PHONE, True),
        ({"device": ["desktop"]}, PHONE, False),
        ({"device": ["other"]}, Visitor(), True),
        ({"os": ["ios"]}, PHONE, True),
        ({"os": ["android", "windows"]}, PHONE, False),
        ({"country": ["fr"]}, PHONE, True),
        ({"country": ["BE", "CH"]}, PHONE, False),
        ({"country": ["FR"]}, Visitor(), False),
        ({"language": ["fr"]}, PHONE, True),
        ({"language": ["FR-ch"]}, PHONE, True),
        ({"language": ["fr-FR"]}, PHONE, False),
        ({"language": ["f"]}, PHONE, None),
        ({"language": ["fr"]}, Visitor(language="fro"), False),
        ({"language": ["fr"]}, Visitor(), False),
        ({"device": ["mobile"], "country": ["FR"], "language": ["fr"], "os": ["ios"]}, PHONE, True),
        ({"device": ["mobile"], "country": ["BE"], "language": ["fr"]}, PHONE, False),
    ],
    ids=str,
)
def test_conditions_all_have_to_hold_and_one_of_each_list(when: Json, visitor: Visitor, holds: bool | None) -> None:
    rules: list[Json] = [{"when": when, "destination": A}]
    if holds is None:
        with pytest.raises(InvalidValue):
            rules_of(rules)
    else:
        assert led_to(rules, visitor) == (A if holds else HERE)


def test_the_first_rule_that_holds_decides() -> None:
    rules: list[Json] = [
        {"when": {"os": ["android"]}, "destination": A},
        {"when": {"device": ["mobile"]}, "destination": B},
        {"destination": C},
    ]
    assert led_to(rules, Visitor(device="mobile", os="android")) == A
    assert led_to(rules, PHONE) == B
    assert led_to(rules, Visitor()) == C
    assert led_to([], PHONE) == HERE


WORK = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:30", "timezone": "Europe/Paris"}
NIGHT = {"days": ["fri"], "from": "22:00", "to": "02:00"}


@pytest.mark.parametrize(
    ("hours", "at", "holds"),
    [
        (WORK, "2026-11-20T07:59:59Z", False),
        (WORK, "2026-11-20T08:00Z", True),
        (WORK, "2026-11-20T16:29:59Z", True),
        (WORK, "2026-11-20T16:30Z", False),
        (WORK, "2026-11-21T12:00Z", False),
        (WORK, "2026-07-17T07:00Z", True),  # summer time
        (WORK, "2026-07-17T06:59Z", False),
        (NIGHT, "2026-11-20T21:59Z", False),
        (NIGHT, "2026-11-20T22:00Z", True),
        (NIGHT, "2026-11-21T01:59Z", True),
        (NIGHT, "2026-11-21T02:00Z", False),
        (NIGHT, "2026-11-20T01:00Z", False),
        (NIGHT, "2026-11-21T22:00Z", False),
        ({**NIGHT, "days": ["sun"]}, "2026-11-23T00:30Z", True),  # a Monday
        ({"days": ["sat"]}, "2026-11-21T00:00Z", True),
        ({"days": ["sat"]}, "2026-11-21T23:59:59Z", True),
        ({"days": ["sat"]}, "2026-11-22T00:00Z", False),
        ({"days": ["sat"], "timezone": "Asia/Tokyo"}, "2026-11-20T15:00Z", True),
        ({"to": "12:00"}, "2026-11-20T11:59Z", True),
        ({"to": "12:00"}, FRIDAY_NOON, False),
        ({"from": "12:00"}, FRIDAY_NOON, True),
        ({"from": "12:00", "to": "00:00"}, "2026-11-20T23:59Z", True),
        ({"from": "12:00", "to": "00:00"}, "2026-11-20T00:00Z", False),
    ],
    ids=str,
)
def test_hours_are_of_the_day_on_which_they_begin_where_they_are_said_for(hours: Json, at: str, holds: bool) -> None:
    assert led_to([{"when": {"time": hours}, "destination": A}], Visitor(), at) == (A if holds else HERE)


SPLIT: list[Json] = [{"split": [{"weight": 70, "destination": A}, {"weight": 30, "destination": B}]}]


def test_a_split_is_by_weight_and_a_visitor_stays_where_they_are() -> None:
    first = [led_to(SPLIT, Visitor(key=f"192.0.2.1 {number}")) for number in range(10_000)]
    again = [led_to(SPLIT, Visitor(key=f"192.0.2.1 {number}")) for number in range(10_000)]
    assert first == again
    counts = Counter(first)
    assert counts.keys() == {A, B}
    assert abs(counts[A] - 7000) < 230  # five standard deviations
    other = [led_to(SPLIT, Visitor(key=f"192.0.2.1 {number}"), link=2) for number in range(10_000)]
    assert abs(sum(one != two for one, two in zip(first, other, strict=True)) - 4200) < 250


def test_rules_have_one_spelling_which_says_the_same() -> None:
    given: list[Json] = [
        {"when": {"country": ["fr"], "time": {"days": ["sat"]}}, "split": [{"weight": 1, "destination": A}]},
        {"when": {}, "destination": "https://example.com/ä"},
        *SPLIT,
    ]
    hours = {"days": ["sat"], "from": "00:00", "to": "24:00", "timezone": "UTC"}
    plain = [
        {"when": {"country": ["FR"], "time": hours}, "destination": A},
        {"destination": "https://example.com/%C3%A4"},
        *SPLIT,
    ]
    assert plain_rules(rules_of(given)) == plain
    assert rules_of(plain) == rules_of(given)


WRONG: list[tuple[object, dict[str, str]]] = [
    (None, {"": "wrong_type"}),
    ({}, {"": "wrong_type"}),
    ([{"destination": A}] * (MAX_RULES + 1), {"": "out_of_range"}),
    (["x"], {"0": "wrong_type"}),
    ([{}], {"0": "one_of_required"}),
    ([{"destination": A, "split": []}], {"0": "one_of_required"}),
    ([{"destination": A, "if": {}, "a/b~": 1}], {"0/if": "unknown_field", "0/a~1b~0": "unknown_field"}),
    ([{"destination": None}], {"0/destination": "required"}),
    ([{"destination": "x"}, {"destination": 5}], {"0/destination": "invalid_scheme", "1/destination": "wrong_type"}),
    ([{"split": []}], {"0/split": "empty"}),
    ([{"split": {}}], {"0/split": "wrong_type"}),
    ([{"split": [{"weight": 1, "destination": A}] * 21}], {"0/split": "out_of_range"}),
    (
        [
            {
                "split": [
                    5,
                    {"destination": A},
                    *({"weight": weight, "destination": A} for weight in (0, 1001, 1.0, True)),
                ]
            }
        ],
        {
            "0/split/0": "wrong_type",
            "0/split/1/weight": "required",
            "0/split/2/weight": "out_of_range",
            "0/split/3/weight": "out_of_range",
            "0/split/4/weight": "wrong_type",
            "0/split/5/weight": "wrong_type",
        },
    ),
    (
        [{"split": [{"weight": 1}, {"weight": 1, "destination": A, "x": 1}]}],
        {"0/split/0/destination": "required", "0/split/1/x": "unknown_field"},
    ),
    ([{"when": None, "destination": A}], {"0/when": "wrong_type"}),
    (
        [
            {
                "destination": A,
                "when": {
                    "device": ["mobile", "phone"],
                    "os": [],
                    "country": ["FRA", "F1", 5],
                    "language": ["", "fr_FR", "fr-"],
                    "browser": ["x"],
                },
            }
        ],
        {
            "0/when/device/1": "unknown_value",
            "0/when/os": "empty",
            "0/when/country/0": "invalid_country",
            "0/when/country/1": "invalid_country",
            "0/when/country/2": "wrong_type",
            "0/when/language/0": "invalid_language",
            "0/when/language/1": "invalid_language",
            "0/when/language/2": "invalid_language",
            "0/when/browser": "unknown_field",
        },
    ),
    ([{"destination": A, "when": {"country": ["FR"] * 51}}], {"0/when/country": "out_of_range"}),
    ([{"destination": A, "when": {"time": []}}], {"0/when/time": "wrong_type"}),
    ([{"destination": A, "when": {"time": {"timezone": "UTC"}}}], {"0/when/time": "empty"}),
    (
        [{"destination": A, "when": {"time": {"days": ["Mon"], "from": "9:00", "to": "24:01", "timezone": "Mars"}}}],
        {
            "0/when/time/days/0": "unknown_value",
            "0/when/time/from": "invalid_time",
            "0/when/time/to": "invalid_time",
            "0/when/time/timezone": "unknown_timezone",
        },
    ),
    ([{"destination": A, "when": {"time": {"from": "09:00", "to": "09:00"}}}], {"0/when/time/from": "out_of_range"}),
    ([{"destination": A, "when": {"time": {"from": "24:00"}}}], {"0/when/time/from": "out_of_range"}),
]


@pytest.mark.parametrize(("given", "found"), WRONG, ids=lambda each: repr(each)[:60])
def test_all_that_is_wrong_is_told_at_its_field(given: object, found: dict[str, str]) -> None:
    rules, wrong = examine_rules(given)
    assert rules == ()
    assert {each.field: each.reason for each in wrong} == found
    with pytest.raises(InvalidValue):
        rules_of(given)
