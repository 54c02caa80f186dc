"""What the profile finds out is what the rules that choose columns and pairs need."""

from __future__ import annotations

from pathlib import Path

from toolkit.engine.check.subject import Subject
from toolkit.engine.check.tables import as_store, mixed_table
from toolkit.engine.discovery import below, shipped_plugins
from toolkit.engine.manifest import load_manifest
from toolkit.plugin import column_facts, select_columns, select_pairs


def test_facts_of_a_profile_choose_columns_and_pairs(tmp_path: Path) -> None:
    manifest = load_manifest(next(f for f in below(shipped_plugins()) if f.name == "profile_basic"))
    dataset = as_store(mixed_table(), tmp_path)
    data = Subject(manifest, {}, tmp_path).run(dataset).decoded().data
    facts = column_facts(data["columns"])
    assert list(facts) == dataset.schema.names
    assert (facts["odd"].present, facts["real"].present) == (21, 17)  # NaN counts as missing here
    assert (facts["constant"].distinct, facts["constant"].role) == (1, "constant")
    assert facts["colour"].entropy is not None
    assert 0.9 < facts["colour"].entropy <= 1
    names, _ = select_columns(dataset.schema, ["any"], 3, facts=facts, roles=["flag"])
    assert names == ["whole", "flag", "day"]
    pairs, left_out = select_pairs(dataset.schema.names, 4, facts=facts)
    assert left_out is not None
    assert not any("constant" in pair for pair in pairs)
