"""The Admin API describes itself: /openapi.json is what is served, and a linter takes it."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINT = ROOT / "tests" / "web" / "lint-openapi.mjs"
LINTER = ROOT / "web" / "node_modules" / "@redocly" / "openapi-core"


@pytest.fixture
def document(gateway):
    return gateway.admin.get("/openapi.json")


def lint(document):
    return subprocess.run(["node", LINT], input=json.dumps(document), capture_output=True, text=True, timeout=120)


@pytest.mark.skipif(not (shutil.which("node") and LINTER.exists()), reason="the linter is not installed (npm install in web/)")
def test_a_linter_takes_it(document):
    done = lint(document)
    assert done.returncode == 0, done.stdout + done.stderr
    # The linter looks: what is wrong is found.
    document["paths"]["/services"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = {
        "$ref": "#/components/schemas/nothing"}
    done = lint(document)
    assert done.returncode == 1 and "no-unresolved-refs" in done.stdout, done.stdout + done.stderr


def filled(path):
    return re.sub(r"{\w+}", "nothing", path)


def test_it_has_every_path_that_is_served(gateway, document):
    # Some that /endpoints lists answer 404 to every method, as in Kong.
    served = [path for path in gateway.admin.get("/endpoints")["data"]
              if gateway.admin.call("OPTIONS", filled(path)).status == 204]
    assert sorted(document["paths"]) == sorted(served) and len(served) > 60


def test_its_methods_are_those_of_the_paths(gateway, document):
    for path, item in document["paths"].items():
        allowed = gateway.admin.call("OPTIONS", filled(path)).header("allow").split(", ")
        assert sorted(set(item) - {"parameters"}) == sorted(m.lower() for m in allowed if m not in ("OPTIONS", "HEAD")), path
