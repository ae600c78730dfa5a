"""A plugin of pytest: no model is downloaded before the tests, and each result goes to a file."""

import json
import os

import pytest


def pytest_collection_finish(session):
    import utils

    utils.ServerPreset.load_all = staticmethod(lambda: None)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    # A test has one result: of its call, or of the phase that kept it from its call.
    if report.when != "call" and report.outcome == "passed":
        return
    crash = getattr(report.longrepr, "reprcrash", None)
    reason = crash.message if crash else str(report.longrepr or "")
    result = {
        "test": item.location[0].split("/")[-1].removesuffix(".py") + "::" + item.originalname,
        "case": item.name,
        "phase": report.when,
        "outcome": report.outcome,
        "reason": reason[:400],
    }
    with open(os.environ["R1_RESULTS"], "a", encoding="utf-8") as file:
        file.write(json.dumps(result) + "\n")
