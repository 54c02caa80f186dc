"""screenshot.py REPORT.html OUT.png: a picture of a report, as a browser without network shows it."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

_UNFOLD = "id => { for (const node of document.querySelectorAll(`#${id}, #${id} details`)) node.open = true }"


def chromium_path() -> str | None:
    """The installed browser; the library's own is not downloaded."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def chromium(width: int, height: int = 900, scheme: str = "light") -> Iterator[BrowserContext]:
    """Start the browser with a new profile.

    Parameters
    ----------
    width, height : int
        Of the window, in CSS pixels.
    scheme : str
        ``light`` or ``dark``.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=chromium_path(),
            args=list(FLAGS),
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]
            reduced_motion="reduce",
        )
        try:
            yield context
        finally:
            context.close()


def open_report(context: BrowserContext, report: Path) -> Page:
    """Open a report from the disk."""
    page = context.new_page()
    page.goto(report.resolve().as_uri())
    return page


def main() -> int:
    """Take the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--width", type=int, default=1440)
    parser.add_argument("--height", type=int, default=900)
    parser.add_argument("--scheme", choices=("light", "dark"), default="light")
    parser.add_argument("--whole", action="store_true", help="the page from top to end")
    parser.add_argument("--unfold", metavar="ID", action="append", default=[], help="a column or finding to unfold")
    args = parser.parse_args()
    if chromium_path() is None:
        print("error: no chromium was found on the PATH", file=sys.stderr)
        return 2
    with chromium(args.width, args.height, args.scheme) as context:
        page = open_report(context, args.report)
        for anchor in args.unfold:
            page.evaluate(
                "id => { for (const d of document.querySelectorAll(`#${id}, #${id} details`)) d.open = true }", anchor
            )
        args.out.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=args.out, full_page=args.whole)
    return 0


if __name__ == "__main__":
    sys.exit(main())
