"""The documents say what the code does."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from server.settings import PREFIX, Settings, load

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")})

ROW = re.compile(r"^\| `(?P<name>\w+)` \| (?:`(?P<default>[^`]*)`|empty) \| (?P<help>.*) \|$", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)#\s]+)")


def test_every_setting_stands_in_its_document_with_its_default_and_help() -> None:
    written = [match.groups() for match in ROW.finditer((ROOT / "docs/settings.md").read_text())]
    coded = [
        (f"{PREFIX}{each.name.upper()}", _written(each.default) or None, each.metadata["help"])
        for each in fields(Settings)
    ]
    assert written == coded


def test_the_file_of_settings_that_is_shown_is_taken(tmp_path: Path) -> None:
    shown = (ROOT / "docs/settings.md").read_text().partition("```toml\n")[2].partition("```")[0]
    secret = tmp_path / "database-url"
    secret.write_text("postgresql://db/qr")
    file = tmp_path / "qredge.toml"
    file.write_text(shown.replace("/etc/qredge/database-url", str(secret)))
    settings = load({"QREDGE_SETTINGS_FILE": str(file)})
    assert (settings.workers, settings.database_url) == (4, "postgresql://db/qr")


def _written(value: object) -> str:
    """A setting's value as the environment has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    targets = [match["target"] for match in LINK.finditer(document.read_text())]
    files = [target for target in targets if "://" not in target]
    assert [target for target in files if not (document.parent / target).exists()] == []


def test_the_architecture_fits_on_a_few_screens() -> None:
    assert len((ROOT / "docs/architecture.md").read_text().splitlines()) <= 150


def test_adrs_are_numbered_without_a_gap_or_a_double() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs/adr").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
