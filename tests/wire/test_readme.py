"""README.md is true: what its tour promises to print is printed."""

import os
import re

from pages import free_port, read, run  # noqa: F401 (free_port: other pages' tests)
from brume import ROOT


def test_the_tour_runs_as_it_stands(folder):
    steps = run("README.md", folder)
    assert len(steps) == 8, "the tour has eight steps"
    assert "listening on" in steps[0]
    assert re.search(r"^[0-9a-f-]{36}$", steps[1], re.M)
    assert "received one coffee" in steps[2] and "received one coffee" in steps[3]
    assert re.search(r"hello /there from greeter, process \d+", steps[4]), "by the command line"
    assert re.search(r"hello /world from greeter, process \d+", steps[4]), "by its URL"
    assert "an order: two teas" in steps[5] and re.search(r"orders +greeter +(creating|enabled)", steps[5])
    assert re.search(r"^[0-9a-f-]{36}$", steps[5].splitlines()[-1])
    assert "brume_" in steps[6]
    assert os.path.getsize(folder / "tour.backup") > 0 and os.path.isdir(folder / "restored")
    assert "auth signed" in steps[7] and "AWS_ACCESS_KEY_ID=AKIA" in steps[7]


def test_every_page_that_the_readme_names_is_there():
    for page in re.findall(r"\]\(([^)]+)\)", read("README.md")):
        assert os.path.exists(os.path.join(ROOT, page)), page
