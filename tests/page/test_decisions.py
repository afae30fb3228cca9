"""Decisions on the chat page, in headless Chromium."""

import json
import re

from conftest import Site
from test_page import IMAGES, STATUS, check_accessible, open_part, shoot

QUESTIONS = """Is the red light on?
Is the green light on?
How many lights are on? < 0 < 1 < 2 < 3
Is the blue light on? | on = Yes | off = No"""


def turn_on(page, questions):
    open_part(page, "Decisions")
    page.check("#use-decisions")
    page.fill("#questions", questions)


def percent(text):
    return float(re.search(r"([\d.]+) %", text)[1])


def test_probabilities_are_bars(site):
    page = site.page
    turn_on(page, QUESTIONS)
    page.set_input_files("#file", IMAGES / "lights.jpg")
    page.locator("#attached li").wait_for()
    with page.expect_request("**/v1/decisions") as sent:
        page.click("#send")
    body = json.loads(sent.value.post_data)
    assert [question["type"] for question in body["questions"]] == ["predicate", "predicate", "score", "choice"]
    assert body["questions"][3]["choices"] == [
        {"value": "on", "description": "Yes"},
        {"value": "off", "description": "No"},
    ]
    site.answer()
    tables = page.locator(".decisions table")
    assert tables.count() == 4
    assert page.locator("meter").count() == 1 + 1 + 4 + 2
    yes = [page.get_by_role("meter", name=re.compile("yes")).nth(i) for i in range(2)]
    assert percent(yes[0].get_attribute("aria-label")) > 50 > percent(yes[1].get_attribute("aria-label"))
    assert tables.nth(2).locator(".chosen th").inner_text() == "2"
    assert tables.nth(3).locator(".chosen th").inner_text() == "off"
    assert tables.nth(2).locator("caption").inner_text().startswith("How many lights are on? (")
    open_part(page, "Last request")
    assert page.locator("#curl").inner_text().startswith(f"curl -sN '{site.daemon.url}/v1/decisions")
    check_accessible(page)
    shoot(page, "decisions")
    # The next chat does not show the model the message that was asked about.
    page.uncheck("#use-decisions")
    with page.expect_request("**/v1/chat/completions") as sent:
        site.ask("What is edgegate?")
    assert len(json.loads(sent.value.post_data)["messages"]) == 1
    site.answer()


def test_missing_questions_and_errors_are_shown(browser, daemon):
    site = Site(browser, daemon).ready("edge-demo-v")
    page = site.page
    turn_on(page, " \n")
    site.ask("The pump is hot.")
    assert page.locator("#questions").get_attribute("aria-invalid") == "true"
    page.fill("#questions", "Which? | only one")
    page.click("#new")
    site.ask("The pump is hot.")
    page.locator("article .error").wait_for()
    assert "questions[0].choices" in page.locator("article .error").inner_text()
    site.close(expected=[STATUS + "400"])
