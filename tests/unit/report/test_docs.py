"""docs/report.md says what is true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.unit.report.sample_report import COLUMNS, DATASET, outcomes
from toolkit.plugin.inference import MINIMUM_EFFECTS
from toolkit.report.discovery import CHANCE, NO_INTERVAL, SMALL
from toolkit.report.model import build_report
from toolkit.report.renderer import Renderer
from toolkit.report.schema import column_fields, report_schema
from toolkit.task.code import loaded_plugin

REPOSITORY = Path(__file__).resolve().parents[3]
TEXT = (REPOSITORY / "docs" / "report.md").read_text("utf-8")


def test_every_field_of_a_report_is_named() -> None:
    definitions = report_schema()["$defs"]
    fields = [*column_fields(), *definitions["finding"]["properties"], *definitions["plugin"]["properties"]]
    fields += definitions["discovery"]["properties"]
    assert [f for f in (*fields, *report_schema()["properties"]) if f"`{f}`" not in TEXT] == []
    assert report_schema()["$id"] in TEXT


def test_every_minimum_effect_and_every_reason_is_stated() -> None:
    for measure, least in MINIMUM_EFFECTS.items():
        assert f"| `{measure}` | {least} |" in TEXT
    assert [reason for reason in (NO_INTERVAL, SMALL, CHANCE) if f"| {reason} |" not in TEXT] == []


def test_every_kind_of_finding_and_every_role_is_explained() -> None:
    with loaded_plugin("profile_basic", REPOSITORY / "plugins" / "profile_basic", "") as module:
        assert [kind for kind in module.ORDER if f"`{kind}`" not in TEXT] == []
    roles = report_schema()["$defs"]["column"]["properties"]["role"]["enum"]
    assert [role for role in roles if role and f"`{role}`" not in TEXT] == []


def test_the_example_of_a_renderer_works() -> None:
    (example,) = [block for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL) if "PROVIDES" in block]
    names: dict[str, Any] = {}
    exec(example, names)
    renderer = names["PROVIDES"]
    assert isinstance(renderer, Renderer)
    report = build_report(DATASET, COLUMNS, outcomes())
    assert renderer.render(report) == b"4 findings\n"
