"""Proof that a picture scans: rules first, then a decoder."""

import fastcore
from fastcore.drawing import Rgba
from server.domain.colour import BLACK, WHITE, Colour
from server.domain.design import PLAIN, Design, Level
from server.domain.errors import Finding
from server.domain.scannability import (
    FULL_MODULE_PX,
    Polarity,
    Repair,
    Scannability,
    polarity_of,
    quiet_zone,
    score_of,
)
from server.render.compose import Layout, Zone, behind, clear_zone, compose, lay_out
from server.render.pictures import Picture

#: Pixels of a module in the picture that is decoded. Whatever is drawn larger looks the same, but for more pixels.
PROOF_SCALE = 8


def needs_proof(design: Design) -> bool:
    """Plain squares on plain ground are what every decoder is made for."""
    return not (
        design.modules.shape == "square"
        and design.eyes == PLAIN.eyes
        and isinstance(design.modules.color, Colour)
        and isinstance(design.background.color, Colour)
        and design.background.image is None
        and design.logo is None
        and design.frame == PLAIN.frame
    )


def prove(
    text: str,
    symbol: fastcore.Symbol,
    design: Design,
    size_px: int,
    *,
    logo: Picture | None = None,
    photo: Picture | None = None,
) -> Scannability:
    """All that can be said about the picture of a symbol, at `size_px` pixels.

    Raises InvalidValue ("size") where it cannot be drawn at all.
    """
    layout = lay_out(symbol, design, size_px)
    polarity = polarity_of(design, _grounds(design, layout, photo))
    zone = clear_zone(layout, design, logo)
    repair = _repair(symbol, zone)
    findings = [*polarity.findings, *quiet_zone(design), *_logo_findings(repair, symbol), *_size_findings(layout)]
    decoded = not needs_proof(design) or _reads(text, symbol, design, size_px, layout, polarity, logo, photo)
    if not decoded:
        findings.append(_undecodable(design))
    level: Level = symbol.level  # type: ignore[assignment]  # one of four
    scannable = not any(finding.fatal for finding in findings)
    return Scannability(
        version=symbol.version,
        level=level,
        mask=symbol.mask,
        modules=symbol.size,
        module_px=layout.scale,
        contrast=round(polarity.contrast, 2),
        inverted=polarity.inverted,
        repair=repair,
        decoded=decoded,
        findings=tuple(findings),
        score=score_of(design, level, polarity, repair, layout.scale) if scannable else 0,
    )


def _grounds(design: Design, layout: Layout, photo: Picture | None) -> list[Colour]:
    """What modules meet over a photo, as seen at one pixel for each; nothing where that is the background alone."""
    if photo is None:
        return []
    if design.modules.shape == "halftone":
        # Light dots keep the photo away from what is read; where there is no colour for them they are white.
        ground = design.background.color
        return [WHITE] if isinstance(ground, Colour) and not ground.alpha else []
    drawing = behind(design, layout.size, photo)
    colours = fastcore.paint_rgba(drawing)
    extremes = set()
    for backdrop in (WHITE, BLACK):
        lumas = fastcore.paint_luminance(drawing, Rgba(*backdrop))
        for extreme in (min(lumas), max(lumas)):
            at = 4 * lumas.index(extreme)
            extremes.add(Colour(*colours[at : at + 4]))
    return sorted(extremes)


def _repair(symbol: fastcore.Symbol, zone: Zone | None) -> tuple[Repair, ...]:
    """Under the logo nothing can be known; beside it, in the clear zone, light modules are still light."""
    hidden = bytearray(symbol.size**2)
    if zone is not None:
        modules = symbol.modules
        under = set(zone.covered(symbol.size))
        for column, row in {*zone.modules(symbol.size), *under}:
            at = row * symbol.size + column
            hidden[at] = (column, row) in under or modules[at]
    return tuple(Repair(hidden=wrong, correctable=limit) for wrong, limit in fastcore.damage(symbol, bytes(hidden)))


def _logo_findings(repair: tuple[Repair, ...], symbol: fastcore.Symbol) -> list[Finding]:
    worst = max(repair, key=lambda block: block.hidden - block.correctable)
    if worst.hidden <= worst.correctable:
        return []
    return [
        Finding(
            "logo_too_large",
            "logo/ratio",
            f"The logo hides {worst.hidden} codewords of a block of which {worst.correctable} can be repaired. "
            + ("Shrink it." if symbol.level == "H" else "Shrink it or raise the level."),
            fatal=True,
        )
    ]


def _size_findings(layout: Layout) -> list[Finding]:
    if layout.scale >= FULL_MODULE_PX - 1:
        return []
    return [
        Finding(
            "small_modules",
            "size",
            f"A module is {layout.scale} px wide; below {FULL_MODULE_PX - 1} screens and printers blur it.",
            fatal=False,
        )
    ]


def _undecodable(design: Design) -> Finding:
    field, what = "modules/shape", "choose a plainer shape or more contrast"
    if design.logo:
        field, what = "logo/ratio", "shrink the logo, raise the level or choose a plainer shape"
    elif design.background.image:
        field, what = "background/opacity", "lower the opacity of the background image"
    return Finding("undecodable", field, f"A decoder cannot read the picture back: {what}.", fatal=True)


def _reads(
    text: str,
    symbol: fastcore.Symbol,
    design: Design,
    size_px: int,
    layout: Layout,
    polarity: Polarity,
    logo: Picture | None,
    photo: Picture | None,
) -> bool:
    """Whether a decoder reads the picture back as the text."""
    proof_px = size_px if layout.scale <= PROOF_SCALE else -(-size_px * PROOF_SCALE // layout.scale)
    drawing = compose(symbol, design, proof_px, logo=logo, photo=photo)
    backdrop = Rgba(*(polarity.backdrop or WHITE))
    pixels = memoryview(fastcore.paint_luminance(drawing, backdrop)).cast("B", (proof_px, proof_px))
    # Plain, as by itself it would spell control characters out.
    # Not above: what the HTTP server still holds when a worker ends would hold this too, and nanobind, which it is made
    # with, reports whatever is left at the end of a process.
    import zxingcpp  # noqa: PLC0415

    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    found = zxingcpp.read_barcodes(pixels, formats=formats, text_mode=zxingcpp.TextMode.Plain)
    return any(each.text == text for each in found)
