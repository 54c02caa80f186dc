"""screenshot.py REPORT.html OUT.png: a picture of a report, as a browser without network shows it."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

Scheme = Literal["light", "dark"]

_UNFOLD = "id => { for (const node of document.querySelectorAll(`#${id}, #${id} details`)) node.open = true }"


def chromium_path() -> str | None:
    """The installed browser; the library's own is not downloaded."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser; the library gives it a new profile folder and removes it in the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def new_page(browser: Browser, width: int, height: int = 900, scheme: Scheme = "light") -> Page:
    """Open a window of so many CSS pixels, ``light`` or ``dark``, in which nothing moves."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    return context.new_page()


def main() -> int:
    """Take the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--width", type=int, default=1440)
    parser.add_argument("--height", type=int, default=900)
    parser.add_argument("--scheme", choices=("light", "dark"), default="light")
    parser.add_argument("--whole", action="store_true", help="the page from top to end")
    parser.add_argument("--at", metavar="ID", default="", help="what the picture begins with, such as pictures")
    parser.add_argument("--unfold", metavar="ID", action="append", default=[], help="a column or finding to unfold")
    args = parser.parse_args()
    if chromium_path() is None:
        print("error: no chromium was found on the PATH", file=sys.stderr)
        return 2
    with chromium() as browser:
        page = new_page(browser, args.width, args.height, args.scheme)
        page.goto(args.report.resolve().as_uri())
        for anchor in args.unfold:
            page.evaluate(_UNFOLD, anchor)
        if args.at:  # at the top of the window, below the bar that stays there
            page.evaluate("id => document.getElementById(id).scrollIntoView()", args.at)
        args.out.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=args.out, full_page=args.whole)
    return 0


if __name__ == "__main__":
    sys.exit(main())
