"""report.html in a browser: inert, quiet, reachable by keyboard, accessible, readable at both widths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import IN_CI
from tests.memory_store import memory_dataset
from tests.unit.report.sample_report import DATASET, hostile_outcomes, wide_outcomes
from toolkit.engine.compare.stores import compare_datasets
from toolkit.report.html.comparison import comparison_page
from toolkit.report.model import build_report
from toolkit.report.renderers.html_report import HtmlRenderer

WIDTHS = (360, 1440)


def _why_not() -> str:
    """Why no browser can be driven here; empty where one can."""
    try:
        import axe_playwright_python  # noqa: F401

        from scripts.screenshot import chromium_path
    except ImportError as error:
        return f"{error.name} is not installed: it is in the extra `test`"
    return "" if chromium_path() else "no chromium on the PATH: apt-get install chromium"


MISSING = _why_not()
pytestmark = pytest.mark.skipif(bool(MISSING) and not IN_CI, reason=MISSING or "there is one")

Opener = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from scripts.screenshot import chromium

    with chromium() as started:
        yield started


@pytest.fixture
def troubles() -> list[str]:
    """What went wrong on a page; a test that means to cause it empties the list."""
    return []


@pytest.fixture
def opened(browser: Any, tmp_path: Path, troubles: list[str]) -> Iterator[Opener]:
    """Opens a report at a width and in a colour scheme, and fails the test on any error or request of the page."""
    from scripts.screenshot import new_page

    contexts = []

    def show(report: dict[str, Any] | bytes, width: int = 1440, scheme: str = "light") -> Any:
        file = tmp_path / "report.html"
        file.write_bytes(report if isinstance(report, bytes) else HtmlRenderer().render(report))
        page = new_page(browser, width, scheme=scheme)
        contexts.append(page.context)
        page.on("console", lambda message: troubles.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        page.on("request", lambda sent: sent.url == file.as_uri() or troubles.append(f"request: {sent.url}"))
        page.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
        page.goto(file.as_uri())
        return page

    yield show
    for context in contexts:
        context.close()
    assert troubles == []


def hostile() -> dict[str, Any]:
    columns, found = hostile_outcomes()
    return build_report(DATASET, columns, found)


def wide(n_columns: int, n_findings: int = 12) -> dict[str, Any]:
    columns, found = wide_outcomes(n_columns, n_findings)
    return build_report({**DATASET, "rows": 6400, "chunk_rows": 100}, columns, found)


def overflows(page: Any) -> int:
    """Pixels by which the page is wider than its window."""
    wider: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wider


def serious(page: Any) -> list[str]:
    """What axe calls serious or critical."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found if v["impact"] in ("serious", "critical")]


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (360, "light"),
        pytest.param(360, "dark", marks=pytest.mark.slow),
        pytest.param(1440, "light", marks=pytest.mark.slow),
        pytest.param(1440, "dark", marks=pytest.mark.slow),
    ],
)
def test_hostile_text_is_inert_and_the_page_accessible(opened: Opener, width: int, scheme: str) -> None:
    page = opened(hostile(), width, scheme)
    page.click("#unfold")
    assert page.evaluate("window.hit") is None
    assert page.evaluate("document.activeElement.id") == "unfold"
    assert page.evaluate("document.scripts.length") == 1
    assert page.evaluate("document.querySelectorAll('img, iframe, object, embed, form').length") == 0
    assert overflows(page) == 0
    assert serious(page) == []


def test_the_policy_stops_what_would_come_from_elsewhere(opened: Opener, troubles: list[str]) -> None:
    page = opened(wide(3))
    stopped = page.evaluate("""() => new Promise((done) => {
        const found = [];
        addEventListener("securitypolicyviolation", (event) => found.push(event.effectiveDirective));
        const script = document.createElement("script");
        script.textContent = "window.hit = 9";
        document.body.append(script);
        document.body.setAttribute("style", "color: red");
        setTimeout(() => done([window.hit === undefined, ...found.sort()]), 50);
    })""")
    assert stopped[0] is True
    assert {"script-src-elem", "style-src-attr"} <= set(stopped)
    assert len(troubles) == 2, "the browser says so in its console"
    troubles.clear()


@pytest.mark.slow
def test_everything_is_reached_by_keyboard(opened: Opener) -> None:
    page = opened(hostile())
    seen, names = set(), []
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(400):
        where = page.evaluate(
            "(() => { const at = document.activeElement; const part = at.closest('section, nav, .tools');"
            " return [part ? part.id || part.className || part.tagName : '', at.tagName, at === document.body] })()"
        )
        if where[2]:
            break
        seen.add(where[0])
        names.append(where[1])
        page.keyboard.press("Tab")
    assert seen >= {
        "NAV",
        "tools",
        "overview",
        "findings",
        "columns",
        "associations",
        "derived",
        "plugins",
        "references",
    }
    assert names.count("SUMMARY") >= 2 * 13, "cards and columns unfold by keyboard"
    page.locator("#c2 > summary").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.getElementById('c2').open")


def test_the_search_narrows_findings_and_columns(opened: Opener) -> None:
    page = opened(wide(40))
    page.keyboard.press("/")
    page.keyboard.type("value_00007")
    assert page.locator(".col:visible").count() == 1
    assert page.locator(".card:visible").count() == 1
    assert page.locator("#shown").inner_text() == "1 finding, 1 column"
    page.keyboard.press("Escape")
    assert page.locator(".col:visible").count() == 40
    page.select_option("#kind", "string")
    assert page.locator(".col:visible").count() == 13
    page.check("#marked")
    assert page.locator(".col:visible").count() == 4
    page.fill("#search", "nothing has this name")
    assert page.locator("#columns .nothing").is_visible()
    page.evaluate("location.hash = '#c39'")
    page.wait_for_function("document.getElementById('c39').open && !document.getElementById('c39').hidden")


def test_a_group_unfolds_and_is_searched(opened: Opener) -> None:
    """Findings of one cause are in one card; a link to one that is folded shows it, and the search finds it there."""
    columns, found = wide_outcomes(5, 4)
    for finding in found[0]["findings"]:
        finding["evidence"] = {**finding["evidence"], "rows": [[3, 4]]}
    page = opened(build_report({**DATASET, "rows": 6400, "chunk_rows": 100}, columns, found))
    assert page.locator(".card").count() == 1
    assert not page.locator("#f2").is_visible()
    page.evaluate("location.hash = '#f2'")
    page.wait_for_function("document.querySelector('.card .same').open")
    assert page.locator("#f2").is_visible()
    page.fill("#search", "Column 2 is odd")
    assert page.locator(".card:visible").count() == 1


@pytest.mark.parametrize("width", [360, 1440])
def test_a_comparison_is_accessible(opened: Opener, width: int) -> None:
    first = {"price": np.arange(6400.0), "<img src=x onerror=alert(1)>": np.arange(6400.0) % 7}
    second = {"price": np.arange(6400.0) + 9000, "new": np.ones(6400)}
    second["<img src=x onerror=alert(1)>"] = np.arange(6400.0) % 7
    compared = compare_datasets(memory_dataset(first), memory_dataset(second))
    page = opened(comparison_page(compared), width)
    assert page.locator(".card").count() == 2
    assert overflows(page) == 0
    assert serious(page) == []


def test_what_is_folded_is_printed(opened: Opener) -> None:
    page = opened(wide(3))
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert not page.locator(".tools").is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(".columns details[open]").count() == 0


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
def test_a_wide_table_opens_at_once(opened: Opener, width: int) -> None:
    page = opened(wide(600, 200), width)
    loaded = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    assert 0 < loaded < 3_000
    assert overflows(page) == 0
