"""The web page as the real log service serves it, in a real browser: an entry appears, and can be read."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.gateway import Gateway

SMOKE = Path(__file__).resolve().parents[1] / "web" / "smoke.test.mjs"


@pytest.mark.skipif(not (shutil.which("node") and shutil.which("chromium")), reason="node or chromium is not installed")
def test_the_page_of_the_real_service(gibbon_binary):
    gateway = Gateway(workers=1, log_service=True)
    try:
        gateway.start()
        done = subprocess.run(["node", "--test", SMOKE], env=os.environ | {"GIBBON_LOGS_URL": f"http://localhost:{gateway.logs}/"},
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        gateway.close()
