"""analysis_label_variants: planted spellings are found, and labels that are alike by nature are let be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.memory_store import memory_dataset
from tests.null_tables import null_tables_with_findings, run_plugin
from toolkit.plugin import Budget, Finding, Result

FOLDER = Path(__file__).resolve().parents[3] / "plugins" / "analysis_label_variants"

COUNTRIES = """
Afghanistan,Albania,Algeria,Andorra,Angola,Argentina,Armenia,Australia,Austria,Azerbaijan,Bahamas,Bahrain,Bangladesh,
Barbados,Belarus,Belgium,Belize,Benin,Bhutan,Bolivia,Botswana,Brazil,Brunei,Bulgaria,Burkina Faso,Burundi,Cambodia,
Cameroon,Canada,Chad,Chile,China,Colombia,Comoros,Congo,Costa Rica,Croatia,Cuba,Cyprus,Denmark,Djibouti,Dominica,
Dominican Republic,Ecuador,Egypt,El Salvador,Equatorial Guinea,Eritrea,Estonia,Eswatini,Ethiopia,Fiji,Finland,France,
Gabon,Gambia,Georgia,Germany,Ghana,Greece,Grenada,Guatemala,Guinea,Guinea-Bissau,Guyana,Haiti,Honduras,Hungary,Iceland,
India,Indonesia,Iran,Iraq,Ireland,Israel,Italy,Jamaica,Japan,Jordan,Kazakhstan,Kenya,Kiribati,Kuwait,Kyrgyzstan,Laos,
Latvia,Lebanon,Lesotho,Liberia,Libya,Liechtenstein,Lithuania,Luxembourg,Madagascar,Malawi,Malaysia,Maldives,Mali,Malta,
Mauritania,Mauritius,Mexico,Micronesia,Moldova,Monaco,Mongolia,Montenegro,Morocco,Mozambique,Myanmar,Namibia,Nauru,
Nepal,Netherlands,New Zealand,Nicaragua,Niger,Nigeria,North Korea,Norway,Oman,Pakistan,Palau,Panama,Papua New Guinea,
Paraguay,Peru,Philippines,Poland,Portugal,Qatar,Romania,Russia,Rwanda,Samoa,San Marino,Saudi Arabia,Senegal,Serbia,
Seychelles,Sierra Leone,Singapore,Slovakia,Slovenia,Solomon Islands,Somalia,South Africa,South Korea,South Sudan,Spain,
Sri Lanka,Sudan,Suriname,Sweden,Switzerland,Syria,Tajikistan,Tanzania,Thailand,Togo,Tonga,Tunisia,Turkey,Turkmenistan,
Tuvalu,Uganda,Ukraine,United Arab Emirates,United Kingdom,United States,Uruguay,Uzbekistan,Vanuatu,Venezuela,Vietnam,
Yemen,Zambia,Zimbabwe
""".replace("\n", "").split(",")


def run(counts: dict[str, int], chunk_rows: int = 1_000, **options: Any) -> Result:
    """Labels spread over the table, each so many times."""
    rows = [label for label, count in counts.items() for _ in range(count)]
    order = np.random.default_rng(1).permutation(len(rows)).tolist()
    return run_plugin(
        FOLDER, memory_dataset({"v": [rows[i] for i in order]}, chunk_rows, encodings={"v": "coded"}), **options
    )


def meant(finding: Finding) -> dict[str, str]:
    return {label: group["label"] for group in finding.evidence["groups"] for label, _ in group["variants"]}


def test_forms_and_misspellings() -> None:
    counts = {"New York": 1_000, "new york ": 40, "NEW-YORK": 3, "New Yrok": 7, "Boston": 800, "Bostn": 2, "Chicago": 9}
    form, spelling = run(counts).findings
    assert form.kind == "labels_same_but_form"
    assert meant(form) == {"new york ": "New York", "NEW-YORK": "New York"}
    assert spelling.kind == "labels_misspelt"
    assert meant(spelling) == {"New Yrok": "New York", "Bostn": "Boston"}
    assert spelling.sentence == (
        '2 labels of `v` differ by one letter from a far more frequent one, such as "New Yrok" (7 rows) for '
        '"New York" (1,000 rows); they are in 9 of 1,861 rows (0.5 %).'
    )
    assert form.recommendation == 'Map "new york " to "New York" in `v`, and the other 1 as the evidence lists them.'
    assert form.log10_p is None
    assert form.effect == 43 / 1861


def two_columns(names: list[str], numbers: list[Any]) -> Result:
    table = {"name": names, "customer": numbers, "day": np.arange(len(names)) % 90, "row": np.arange(len(names))}
    dataset = memory_dataset(table, 100, encodings={"name": "coded"})
    profile = run_plugin(FOLDER.parent / "profile_basic", dataset)
    return run_plugin(FOLDER, dataset, upstream={"profile_basic": profile})


def test_frequent_misspellings_that_another_column_confirms() -> None:
    """Customers, two who share a name but for a letter, and one whose name is written in three ways."""
    names = [f"Paula {a}elmann" for a in ("Adc", "Bxf", "Cgh", "Djk", "Elm", "Fno", "Gpq", "Hrs")] * 30
    numbers = [100 + i for i in range(8)] * 30
    names += ["Anna Meier", "Anna Maier"] * 20 + ["Eva Stein"] * 15 + ["Eva Sten"] * 12 + ["STEN, Eva"] * 3
    numbers += [200, 201] * 20 + [300] * 30
    order = np.random.default_rng(4).permutation(len(names))
    result = two_columns([names[i] for i in order], [numbers[i] for i in order])
    spelt = next(f for f in result.findings if f.kind == "labels_misspelt")
    assert spelt.columns == ["name", "customer"]
    assert meant(spelt) == {"Eva Sten": "Eva Stein", "STEN, Eva": "Eva Stein"}
    assert spelt.evidence["rows_of_variants"] == 15
    first = min(i for i, k in enumerate(order) if names[k] in ("Eva Sten", "STEN, Eva"))
    assert spelt.evidence["rows"][0][0] == first


def test_what_another_column_does_not_confirm_is_let_be() -> None:
    names = ["Anna Meier", "Anna Maier", *(f"Paula {c * 3}" for c in "bcdefghijk")] * 20
    apart = [i % 12 for i in range(len(names))]
    shared = [min(max(n - 1, 0), 9) for n in apart]  # the two have one number, and so have others
    shared = [0 if n in (0, 2) else n for n in shared]
    for numbers in (apart, shared):
        assert two_columns(names, numbers).findings == []
    # With one row of another number, they are no longer the same for sure.
    both = [max(n, 1) for n in apart]
    (finding,) = two_columns(names, both).findings
    assert meant(finding) == {"Anna Meier": "Anna Maier"} or meant(finding) == {"Anna Maier": "Anna Meier"}
    assert two_columns(names, [99, *both[1:]]).findings == []


def test_rows_and_chunks_are_those_of_the_variants() -> None:
    values = ["Hamburg"] * 3_000
    for row in (5, 6, 1_700, 2_999):
        values[row] = "Hambrug"
    (finding,) = run_plugin(FOLDER, memory_dataset({"v": values}, 500)).findings
    assert finding.evidence["rows"] == [[5, 6], [1_700, 1_700], [2_999, 2_999]]
    assert finding.evidence["chunks"] == [0, 3, 5]


def test_names_turned_round() -> None:
    counts = {"Anton Dubois": 70, "DUBOIS, Anton": 9, "Dubois,Anton": 5, "Eva Stein": 60, "Stein Eva": 5}
    (finding,) = run(counts).findings
    assert meant(finding) == {"DUBOIS, Anton": "Anton Dubois", "Dubois,Anton": "Anton Dubois"}


def test_unicode_forms() -> None:
    counts = {"Zürich": 90, "Zu\u0308rich": 5, "ZÜRICH": 4, "Straße": 50, "STRASSE": 3, "\uff22ern": 2, "Bern": 80}
    (finding,) = run(counts).findings
    wanted = {"Zu\u0308rich": "Zürich", "ZÜRICH": "Zürich", "STRASSE": "Straße", "\uff22ern": "Bern"}
    assert meant(finding) == wanted


@pytest.mark.parametrize(
    "labels",
    [
        ["C", "C++", "C#", "C+"],
        ["Route 12", "Route 21", "Route 1 2", "Route 13"],
        ["temp -5", "temp 5"],
        ["1.5 kg", "15 kg"],
        ["Visual C", "Visual C+", "Visual C#"],
        ["1.5", "15", "-15", "1,5", "1-5"],
        ["AB1234", "AC1234", "AB1243", "AB-12.34"],
        ["Berlin to Hamburg", "Hamburg to Berlin"],
        ["anna.1@x.org", "anna.2@x.org"],
        ["", " ", "-", "?"],
        ["Main", "Maim", "Mein"],
        ["Baker", "Maker"],
    ],
)
def test_alike_by_nature(labels: list[str]) -> None:
    assert run({label: 1_000 if i == 0 else 5 for i, label in enumerate(labels)}).findings == []


def test_countries_are_no_variants_of_each_other() -> None:
    assert len(COUNTRIES) > 170
    assert run(dict.fromkeys(COUNTRIES, 5)).findings == []
    rng = np.random.default_rng(2)
    counts = {name: int(n) for name, n in zip(COUNTRIES, rng.integers(20, 200, len(COUNTRIES)), strict=True)}
    assert run(counts).findings == []


def test_planted_typos_among_countries() -> None:
    """Every typo of one letter but the first is found, and nothing else."""
    rng = np.random.default_rng(3)
    counts, wanted = dict.fromkeys(COUNTRIES, 100), {}
    for name in COUNTRIES[::10]:
        if len(name) < 6 or " " in name:
            continue
        at = int(rng.integers(1, len(name) - 1))
        kinds = (name[:at] + name[at + 1 :], name[:at] + "q" + name[at:], name[:at] + "q" + name[at + 1 :])
        typo = kinds[int(rng.integers(3))]
        wanted[typo] = name
    (finding,) = run(counts | dict.fromkeys(wanted, 2)).findings
    assert meant(finding) == wanted


def edit_distance(a: str, b: str) -> int:
    """Damerau's distance with neighbours swapped once, by the full table."""
    d = np.add.outer(np.arange(len(a) + 1), np.arange(len(b) + 1))
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            d[i, j] = min(d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + (a[i - 1] != b[j - 1]))
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                d[i, j] = min(d[i, j], d[i - 2, j - 2] + 1)
    return int(d[-1, -1])


def test_neighbours_are_those_of_all_pairs() -> None:
    """Many labels of few letters, against the distance of each two of them."""
    rng = np.random.default_rng(4)
    labels = sorted({"a" + "".join(rng.choice(list("abc"), int(rng.integers(4, 7))).tolist()) for _ in range(120)})
    counts = {label: int(n) for label, n in zip(labels, 10.0 ** rng.uniform(0, 3.2, len(labels)), strict=True)}
    (finding,) = run(counts, params={"groups": 1_000}).findings
    near = {
        a: [b for b in labels if counts[a] <= 0.05 * counts[b] and edit_distance(a, b) == 1]
        for a in labels
    }  # fmt: skip
    assert set(meant(finding)) == {a for a, fits in near.items() if fits}
    assert finding.evidence["rows_of_variants"] == sum(counts[a] for a, fits in near.items() if fits)


def test_the_most_frequent_are_compared_within_the_budget() -> None:
    counts = {"Hamburg": 500, "Hambrug": 5, "hamburg": 4, "Bremen": 300}
    result = run(counts, budget=Budget(max_groups=2))
    assert [f.kind for f in result.findings] == ["labels_same_but_form"]
    (both,) = [f for f in run(counts).findings if f.kind == "labels_misspelt"]
    assert meant(both) == {"Hambrug": "Hamburg"}


def test_chunks_change_nothing() -> None:
    counts = {"Hamburg": 500, "Hambrug": 5, "hamburg": 4, "Bremen": 300}
    one, other = run(counts, 7), run(counts, 262_144)
    assert one.data == other.data
    assert [f.evidence["rows"] for f in one.findings] == [f.evidence["rows"] for f in other.findings]


def test_facts_are_no_tests() -> None:
    assert null_tables_with_findings(FOLDER, 1) == []
