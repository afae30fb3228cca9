"""Fixtures of the hostile cases: one daemon for all of them, and a table at the end."""

import pytest
from arena import Arena, table


def pytest_addoption(parser):
    parser.addoption("--hostile-report", help="write a JSON report of all cases to this file")


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def arena(tmp_path_factory, cache, request):
    made = Arena(tmp_path_factory.mktemp("hostile"), cache)
    request.config.hostile_arena = made
    yield made
    made.close()


def pytest_terminal_summary(terminalreporter, config):
    made = getattr(config, "hostile_arena", None)
    if made is None or not made.results:
        return
    for line in table(made.results):
        terminalreporter.write_line(line)
    if file := config.getoption("--hostile-report"):
        made.write_report(file)
