"""A household's phone on a whole demo: signs in, sees live values move, and finds what the seed says it should."""

import re
from datetime import datetime

import pytest
from playwright.sync_api import sync_playwright

from drivers.sim.home import create
from gateway.clock import UtcMs, from_datetime, system_clock
from tests.browser.conftest import ARGS

pytestmark = [pytest.mark.servers, pytest.mark.browser, pytest.mark.timeout(180)]

SEED = 11
SPAN_MS = 6_000  # how long before it is read on the page a value may have been taken by the meter
APPARENT = "[data-key='grid.{way}.apparent_power'] dd"
STEP_MS = 500


@pytest.fixture
def page(start_demo):
    demo = start_demo("--history", "2", "--seed", str(SEED))
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
        page = browser.new_context(viewport={"width": 390, "height": 844}, locale="fr-FR").new_page()
        page.goto(demo.url)
        page.fill("input[name=user]", demo.told["user"])
        page.fill("input[name=password]", demo.told["password"])
        page.keyboard.press("Enter")
        page.wait_for_selector(".say")
        page.demo = demo
        yield page
        browser.close()


def number(text):
    """Return the figure of a French text such as `≈ 1 234 VA`."""
    return int(re.sub(r"\D", "", text.split("VA")[0]))


def expected(home, at, span_ms=SPAN_MS, way="import"):
    """Return the lowest and highest apparent power that the meter could have shown in the last seconds."""
    seen = [getattr(home.powers(UtcMs(at - back)), f"{way}_va") for back in range(0, span_ms + 1, STEP_MS)]
    return min(seen), max(seen)


def test_the_page_shows_what_the_seed_says_and_it_moves(page):
    home = create(seed=SEED)
    assert "Vous consommez" in page.inner_text(".say") or "Votre maison" in page.inner_text(".say")
    page.locator("details summary").first.click()
    # in the sun nothing is drawn, and what is injected is the power that moves
    way = "import" if home.powers(system_clock().now()).import_va else "export"

    changes = page.evaluate(
        """(selector) => new Promise((done) => {
          const seen = [];
          const look = () => {
            const text = document.querySelector(selector)?.firstChild.textContent.trim();
            if (text && (!seen.length || seen.at(-1)[1] !== text)) seen.push([Date.now(), text]);
            if (seen.length >= 2) done(seen); else setTimeout(look, 50);
          };
          look();
        })""",
        APPARENT.format(way=way),
    )
    for at, text in changes:
        low, high = expected(home, at, way=way)
        assert low - 1 <= number(text) <= high + 1, (at, text)


def test_the_api_shows_the_home_of_the_seed_at_the_instant_of_each_value(page):
    home = create(seed=SEED)
    signals = page.demo.signals()
    meter = signals["grid.import.apparent_power"]
    low, high = expected(home, from_datetime(datetime.fromisoformat(meter["at"])), 3_000)
    assert low - 1 <= meter["value"] <= high + 1
    sun = signals["pv.power"]
    powers = [home.powers(UtcMs(from_datetime(datetime.fromisoformat(sun["at"])) - back)).pv_w for back in (0, 3_000)]
    assert min(powers) - 20 <= sun["value"] <= max(powers) + 20
