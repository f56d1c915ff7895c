"""The reference pages say what the rows say."""

import subprocess
from pathlib import Path

PAGES = Path(__file__).resolve().parents[2] / "docs" / "reference"


def test_the_pages_are_what_the_program_writes(gibbon_binary, tmp_path):
    subprocess.run([gibbon_binary, "reference", tmp_path], check=True, capture_output=True, timeout=60)
    written = {page.name: page.read_text() for page in tmp_path.iterdir()}
    assert written and sorted(written) == sorted(page.name for page in PAGES.iterdir())
    for name, text in written.items():
        assert (PAGES / name).read_text() == text, f"docs/reference/{name} is old: run ./dev docs"
