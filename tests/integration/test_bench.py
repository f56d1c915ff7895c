"""The benchmark's smallest run: it measures every variant, and nothing is lost. No figure is judged."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

RUN = Path(__file__).resolve().parents[2] / "bench" / "run"


@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")
def test_the_smallest_run(gibbon_binary, tmp_path):
    figures = tmp_path / "figures.json"
    done = subprocess.run([RUN, "--quick", "--json", figures], capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "entries lost" in done.stdout
    assert json.loads(figures.read_text())
