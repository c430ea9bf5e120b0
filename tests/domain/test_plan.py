"""Plans as files have them."""

import pytest

from server import dialects
from server.domain.errors import InvalidValue
from server.domain.plan import UNLIMITED, Plan, Plans
from server.plans import known_plans
from server.settings import IllegalSetting

VENDORS = {
    "mask": ["hobby", "pro", "enterprise"],
    "qrcode-app": ["free", "pro", "business"],
    "qrcodestack": ["starter", "pro", "advanced"],
    "qrlogo": ["free", "regular", "advanced", "premium"],
    "qrstudio": ["free", "starter", "pro", "agency", "enterprise"],
}


def test_every_vendors_plans_are_known_and_the_native_one_allows_everything() -> None:
    names = ["unlimited", *(f"{vendor}.{plan}" for vendor, plans in VENDORS.items() for plan in plans)]
    known = known_plans(dialects.plans(), "")
    assert [plan.name for plan in known] == names
    assert known.named("unlimited") == UNLIMITED


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("qrlogo.regular", {"api_access": False}),
        ("qrlogo.advanced", {"requests_per_month": 3_000, "dynamic_codes": 200}),
        ("qrlogo.premium", {"requests_per_month": 30_000}),
        ("qrcode-app.pro", {"api_access": False}),
        ("qrcode-app.business", {"requests_per_minute": 1_000}),
        (
            "qrstudio.free",
            {
                "renders_per_month": 5,
                "size_px": 900,
                "dpi": 300,
                "dynamic_codes": 1,
                "logo": False,
                "destination_edits": 1,
            },
        ),
        ("qrstudio.starter", {"renders_per_month": 500, "size_px": 2_400, "dynamic_codes": 10, "bulk_items": 50}),
        ("qrstudio.agency", {"renders_per_month": 25_000, "size_px": 9_000, "dpi": 600, "webhooks": True}),
        ("qrstudio.enterprise", {"renders_per_month": None, "dynamic_codes": None, "bulk_items": 5_000}),
        ("qrcodestack.pro", {"requests_per_minute": 60, "requests_per_month": 5_000, "dynamic_codes": 250}),
        ("qrcodestack.advanced", {"requests_per_minute": 600, "requests_per_month": 100_000, "bulk_items": 500}),
        ("mask.hobby", {"requests_per_minute": 1_000, "geo_detail": "country"}),
    ],
)
def test_a_vendors_plan_is_as_its_documents_have_it(name: str, limits: dict[str, object]) -> None:
    plan = known_plans(dialects.plans(), "").named(name)
    assert {limit: plan.limits[limit] for limit in limits} == limits


def test_an_operator_adds_plans() -> None:
    text = '[bakery]\nlinks = 5\n\n["shop.2026"]\nlogo = false\ngeo_detail = "country"\n'
    known = known_plans(dialects.plans(), text)
    assert known.named("bakery") == Plan(name="bakery", links=5)
    assert known.named("shop.2026") == Plan(name="shop.2026", logo=False, geo_detail="country")
    assert "qrlogo.free" in known


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[bakery]\nlink = 5", "bakery.link: There is no such limit, but api_access, "),
        ("[bakery]\nlinks = -1", "bakery.links: This is a whole number from 0 to "),
        ("[bakery]\nlinks = 1.5", "bakery.links: This is a whole number"),
        ("[bakery]\nlinks = true", "bakery.links: This is a whole number"),
        ("[bakery]\nrequests_per_minute = 0", "bakery.requests_per_minute: This is a whole number from 1 to "),
        ("[bakery]\nrequests_per_month = 0", "bakery.requests_per_month: This is a whole number from 1 to "),
        ("[bakery]\nsize_px = 63", "bakery.size_px: This is a whole number from 64 to 9000"),
        ("[bakery]\nlogo = 1", "bakery.logo: This is true or false."),
        ('[bakery]\ngeo_detail = "street"', "bakery.geo_detail: This is none, country, city."),
        ("bakery = 5", "bakery: A plan is a table of limits."),
        ("[Bakery]", "A plan's name is "),
        (f"[{'b' * 65}]", "A plan's name is "),
        ('[""]', "A plan's name is "),
        ("[unlimited]\nlinks = 5", "unlimited: There is a plan of this name already."),
        ('["qrlogo.free"]', "qrlogo.free: There is a plan of this name already."),
        ("[bakery", "is not TOML"),
        ("[bakery]\n[bakery]", "is not TOML"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(IllegalSetting) as caught:
        known_plans(dialects.plans(), text)
    assert str(caught.value).startswith("QREDGE_PLANS")
    assert said in str(caught.value)


def test_a_plan_that_nobody_has_defined_opens_nothing() -> None:
    plans = Plans([UNLIMITED])
    assert plans.of("unlimited") is UNLIMITED
    assert plans.of("gone") == Plan(name="gone", api_access=False)
    with pytest.raises(InvalidValue, match="'gone' is none of unlimited"):
        plans.named("gone")
