"""One real Chromium and one served household for the browser tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.household import PASSWORD, USER, Household, household

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOCALES = {"fr": "fr-FR", "en": "en-GB"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for one module: while Playwright runs its loop, no asynchronous test of another module could."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def served() -> Iterator[Household]:
    with household(days=3) as home:
        yield home


@pytest.fixture
def home(served: Household) -> Household:
    """Return the served home, back in its sunny noon."""
    served.show("export")
    return served


class Visits:
    """Opens pages in browsers of a given width, theme and language; notes what goes wrong in them."""

    def __init__(self, browser: Browser, home: Household) -> None:
        self._browser, self._home = browser, home
        self._contexts = []
        self.wrong: list[str] = []

    def open(self, path: str = "", *, width: int = 390, theme: str = "light", language: str = "fr", **more) -> Page:
        """Return a signed-in page at `path`."""
        context = self._browser.new_context(
            viewport={"width": width, "height": 844}, color_scheme=theme, locale=LOCALES[language], **more
        )
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: said.type in ("error", "warning") and self.wrong.append(said.text))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", lambda asked: self._inside(asked.url))
        page.goto(self._home.url)
        page.fill("#user", USER)
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        page.wait_for_selector(".say")
        if path:
            page.goto(self._home.url + path)
        return page

    def _inside(self, url: str) -> None:
        if not url.startswith((self._home.url, "data:", "blob:")):
            self.wrong.append(f"asks outside: {url}")

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def visits(browser: Browser, home: Household) -> Iterator[Visits]:
    made = Visits(browser, home)
    yield made
    made.close()
    assert made.wrong == []
