"""Makes the fixtures of integration/harness known to every end-to-end suite of this folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "integration"))

pytest_plugins = ["harness.fixtures"]
