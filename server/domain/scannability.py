"""Whether a picture will scan: what is found out about it, and what that means."""

from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from server.domain.colour import BLACK, WHITE, Colour, Paint, colours_of, contrast
from server.domain.design import Design, Level
from server.domain.errors import Finding

#: Below it a picture is not served: cameras in poor light lose the edges first.
LEAST_CONTRAST = 3.0
#: From it on nothing is gained.
FULL_CONTRAST = 7.0
#: Modules that readers may rely on around a symbol (ISO/IEC 18004:2015, 6.3.8).
QUIET_ZONE = 4
#: Pixels of a module from which on a screen or a printer does not blur it away.
FULL_MODULE_PX = 4

#: Points that a lower level loses: with less to repair, less dirt is forgiven.
LEVEL_POINTS: dict[Level, int] = {"L": 10, "M": 6, "Q": 3, "H": 0}


@dataclass(frozen=True, slots=True)
class Polarity:
    """How modules and ground are told apart."""

    #: The least ratio between any colour of the modules and any of the ground, 1 to 21 (WCAG 2.2).
    contrast: float
    #: Light modules on dark.
    inverted: bool
    #: Where the ground is transparent, what was taken to lie behind it.
    backdrop: Colour | None
    findings: tuple[Finding, ...]

    @property
    def fatal(self) -> bool:
        return any(finding.fatal for finding in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What of a Reed-Solomon block's power to repair is taken by what lies above it."""

    hidden: int
    correctable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scannability:
    """All that is known about whether a picture scans."""

    version: int
    level: Level
    mask: int
    #: In a row.
    modules: int
    module_px: int
    contrast: float
    inverted: bool
    repair: tuple[Repair, ...]
    #: Plain squares are taken to be readable.
    decoded: bool
    findings: tuple[Finding, ...]
    score: int

    @property
    def scannable(self) -> bool:
        return not any(finding.fatal for finding in self.findings)

    @property
    def reason(self) -> str | None:
        """Why not, in sentences that also say what would mend it."""
        return " ".join(finding.detail for finding in self.findings if finding.fatal) or None


def polarity_of(design: Design, grounds: Sequence[Colour] = ()) -> Polarity:
    """Compare every colour that modules and eyes take with every one they meet.

    grounds: what they meet where that is not the design's own background alone.
    """
    below = list(grounds) or colours_of(design.background.color)
    if all(colour.alpha == 255 for colour in below):
        return _judge(design, below, None)
    backdrops = [_judge(design, [colour.over(backdrop) for colour in below], backdrop) for backdrop in (WHITE, BLACK)]
    best = max(backdrops, key=lambda polarity: (not polarity.fatal, not polarity.findings, polarity.contrast))
    name = "white" if best.backdrop == WHITE else "black"
    seen = Finding(
        "transparent_background",
        "background/color",
        f"The background is transparent; the picture was judged on {name}, which suits its modules best.",
        fatal=False,
    )
    return Polarity(best.contrast, best.inverted, best.backdrop, (*best.findings, seen))


def _judge(design: Design, grounds: Sequence[Colour], backdrop: Colour | None) -> Polarity:
    paints: dict[Paint, str] = {}
    for field, paint in (
        ("modules/color", design.modules.color),
        ("eyes/border/color", design.border_paint),
        ("eyes/center/color", design.center_paint),
    ):
        paints.setdefault(paint, field)
    least, where, ink, met = 22.0, "", BLACK, WHITE
    darker = lighter = False
    for paint, field in paints.items():
        for seen, ground in _nearest(paint, grounds):
            darker = darker or seen.luminance < ground.luminance
            lighter = lighter or seen.luminance > ground.luminance
            ratio = contrast(seen, ground)
            if ratio < least:
                least, where, ink, met = ratio, field, seen, ground
    findings = []
    if least < LEAST_CONTRAST:
        findings.append(
            Finding(
                "low_contrast",
                where,
                f"The contrast between {ink} and the background's {met} is {least:.1f}; it must be at least "
                f"{LEAST_CONTRAST:.0f}. Darken the one or lighten the other.",
                fatal=True,
            )
        )
    elif darker and lighter:
        findings.append(
            Finding(
                "mixed_contrast",
                where,
                "Some modules are darker than the background and some are lighter; no reader takes both for dark. "
                "Make all of them darker, or all lighter.",
                fatal=True,
            )
        )
    if lighter and not darker:
        findings.append(
            Finding(
                "inverted",
                "modules/color",
                "The modules are lighter than the background; some readers fail on that.",
                fatal=False,
            )
        )
    return Polarity(least, lighter and not darker, backdrop, tuple(findings))


def _nearest(paint: Paint, grounds: Sequence[Colour]) -> Iterator[tuple[Colour, Colour]]:
    """Each colour of a paint with each ground that may be the worst for it: for an opaque one, those next to it."""
    ordered = sorted(grounds, key=lambda ground: ground.luminance)
    luminances = [ground.luminance for ground in ordered]
    for colour in colours_of(paint):
        if colour.alpha == 255:
            place = bisect(luminances, colour.luminance)
            yield from ((colour, ground) for ground in ordered[max(0, place - 1) : place + 1])
        else:
            yield from ((colour.over(ground), ground) for ground in ordered)


def quiet_zone(design: Design) -> tuple[Finding, ...]:
    if design.margin >= QUIET_ZONE:
        return ()
    return (
        Finding(
            "small_quiet_zone",
            "margin",
            f"The margin is {design.margin} modules; readers may rely on {QUIET_ZONE}.",
            fatal=False,
        ),
    )


def score_of(design: Design, level: Level, polarity: Polarity, repair: Sequence[Repair], module_px: int) -> int:
    """Points out of 100 for a picture that scans: what is left when each risk has taken its own."""
    lost = float(LEVEL_POINTS[level])
    lost += 30 * min(1, max(0, (FULL_CONTRAST - polarity.contrast) / (FULL_CONTRAST - LEAST_CONTRAST)))
    lost += 30 * max((min(1, block.hidden / block.correctable) for block in repair), default=0)
    lost += 5 * max(0, QUIET_ZONE - design.margin)
    lost += 15 * max(0, FULL_MODULE_PX - module_px) / (FULL_MODULE_PX - 1)
    lost += 15 * polarity.inverted + 5 * (polarity.backdrop is not None)
    return max(1, round(100 - lost))
