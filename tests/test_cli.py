"""`qredge render`: what the API draws, from a command line and without a server."""

import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from tests.commands import Done, called

TEXT = "https://example.com/menu"


def render(*options: str | Path, text: str = TEXT) -> Done:
    return called("render", text, *map(str, options), settings={})


def refused(code: int, *options: str | Path, text: str = TEXT) -> list[str]:
    """The lines that say why nothing was drawn."""
    found = render(*options, text=text)
    assert (found.returncode, found.stdout) == (code, b""), found.stderr
    assert "Traceback" not in found.stderr
    lines = found.stderr.splitlines()
    assert all(line.startswith("qredge: ") for line in lines)
    return [line.removeprefix("qredge: ") for line in lines]


def drawn(*options: str | Path, text: str = TEXT) -> bytes:
    found = render(*options, text=text)
    assert (found.returncode, found.stderr) == (0, "")
    return found.stdout


def read(picture: Image.Image) -> str:
    backed = Image.new("RGBA", picture.size, "white")
    backed.alpha_composite(picture.convert("RGBA"))
    (found,) = zxingcpp.read_barcodes(backed.convert("L"))
    return found.text


def opened(path: Path) -> Image.Image:
    return Image.open(BytesIO(path.read_bytes()))


def logo(folder: Path, size: int = 64) -> Path:
    path = folder / "logo.png"
    Image.new("RGB", (size, size), (200, 30, 30)).save(path)
    return path


def test_options_are_the_fields_of_a_design(tmp_path: Path) -> None:
    options: list[str | Path] = [
        *["--level", "H", "--margin", "6", "--shape", "rounded", "--color", "#6c48e8", "--background", "#FFE"],
        *["--eye-border", "circle", "--eye-center", "diamond", "--size", "600"],
    ]
    options += ["--logo", logo(tmp_path)]
    assert drawn(*options, "-o", tmp_path / "code.png") == b""
    picture = opened(tmp_path / "code.png").convert("RGB")
    assert picture.size == (600, 600)
    assert read(picture) == TEXT
    assert picture.getpixel((2, 2)) == (0xFF, 0xFF, 0xEE)
    assert picture.getpixel((300, 300)) == (200, 30, 30)
    colours = picture.getcolors(1 << 20)
    assert colours is not None
    assert (0x6C, 0x48, 0xE8) in {colour for _, colour in colours}
    design = {
        "level": "H",
        "margin": 6,
        "modules": {"shape": "rounded", "color": "#6C48E8"},
        "background": {"color": "#ffffee"},
        "eyes": {"border": {"shape": "circle"}, "center": {"shape": "diamond"}},
    }
    (tmp_path / "design.json").write_text(json.dumps(design))
    said: list[str | Path] = [
        "--design",
        tmp_path / "design.json",
        "--logo",
        logo(tmp_path),
        "--size",
        "600",
        "--format",
        "png",
    ]
    assert drawn(*said, "-o", "-") == (tmp_path / "code.png").read_bytes()


def test_options_go_before_the_design_in_a_file(tmp_path: Path) -> None:
    design = {"logo": None, "modules": {"shape": "dots", "color": {"type": "linear", "stops": 5}}, "margin": 2}
    (tmp_path / "design.json").write_text(json.dumps(design))
    given: list[str | Path] = ["--design", tmp_path / "design.json", "--format", "svg", "-o", "-"]
    assert refused(2, *given) == ["--color: Input should be a valid list."]
    before = ["--color", "black", "--shape", "square", "--margin", "4", "--size", "256"]
    assert drawn(*given, *before) == drawn("--format", "svg", "-o", "-", "--size", "256")


def test_a_process_of_its_own_draws_the_same(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "server", "render", TEXT, "--format", "png", "-o", "-"]
    assert subprocess.run(command, capture_output=True, check=True).stdout == drawn("--format", "png", "-o", "-")


@pytest.mark.parametrize(
    ("suffix", "begins"),
    [("png", b"\x89PNG"), ("PNG", b"\x89PNG"), ("webp", b"RIFF"), ("svg", b"<svg"), ("pdf", b"%PDF"), ("eps", b"%!PS")],
)
def test_the_file_says_its_format(tmp_path: Path, suffix: str, begins: bytes) -> None:
    path = tmp_path / f"code.{suffix}"
    drawn("--shape", "dots", "-o", path)
    assert path.read_bytes().startswith(begins)
    if begins in (b"\x89PNG", b"RIFF"):
        assert read(opened(path)) == TEXT


def test_inches_are_printed_as_wide(tmp_path: Path) -> None:
    png = Image.open(BytesIO(drawn("--format", "png", "--inches", "2", "-o", "-")))
    assert png.size == (600, 600)
    assert png.info["dpi"] == pytest.approx((300, 300), abs=0.01)
    pdf = pypdfium2.PdfDocument(drawn("--format", "pdf", "--inches", "2", "--dpi", "600", "-o", "-"))
    assert pdf[0].get_size() == pytest.approx((144, 144), abs=0.01)
    assert read(pdf[0].render(scale=4).to_pil()) == TEXT


def test_what_is_wrong_is_told_by_its_option_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "code.png"
    found = refused(2, "-o", path, "--size", "5", "--level", "X", "--color", "red", "--inches", "1", text="")
    assert {line.partition(":")[0] for line in found} == {"--size", "--level", "--color", "--inches", "TEXT"}
    assert [line.partition(":")[0] for line in refused(2, "-o", path, text="x" * 3000)] == ["TEXT"]
    (line,) = refused(2, "-o", tmp_path / "code.gif")
    assert line.startswith("--format says png, ")
    (line,) = refused(2, "-o", "-")
    assert line.startswith("--format says png, ")
    assert refused(2, "-o", path, "--size", "64", text="x" * 2000)[0].startswith("--size: This code needs")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    path, broken = tmp_path / "code.png", tmp_path / "broken"
    broken.write_bytes(b"[")
    assert "is not JSON" in refused(2, "-o", path, "--design", broken)[0]
    assert refused(2, "-o", path, "--logo", broken)[0].startswith("--logo: The picture is none of PNG")
    assert "No such file" in refused(1, "-o", path, "--logo", tmp_path / "none.png")[0]
    assert "No such file" in refused(1, "-o", tmp_path / "none" / "code.png")[0]
    broken.write_text(json.dumps({"logo": {"image": {"sha256": "0" * 64}}, "colour": "red"}))
    assert refused(2, "-o", path, "--design", broken) == ["/design/colour: There is no such field."]
    assert [file.name for file in tmp_path.iterdir()] == ["broken"]


def test_what_would_not_scan_is_drawn_only_when_that_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "code.png"
    said = refused(1, "-o", path, "--color", "#eeeeee")
    assert said[0].startswith("The contrast between")
    assert said[-1] == "--allow-unscannable draws it all the same."
    assert not path.exists()
    allowed = render("-o", path, "--color", "#eeeeee", "--allow-unscannable")
    assert allowed.returncode == 0
    assert allowed.stderr.startswith("qredge: this will not scan: The contrast between")
    assert opened(path).size == (512, 512)
