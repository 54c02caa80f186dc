"""Clean tables written as delimited text and spoilt in the ways in which published benchmarks of polluted files are.

Everything is drawn from a seed. The pollutions are those of Hameed, Vitagliano, Jiang and Naumann, "SURAGH" (EDBT 2022,
doi:10.5441/002/edbt.2022.08) and Vitagliano et al., "Pollock: a data loading benchmark" (PVLDB 16(8), 2023,
doi:10.14778/3594512.3594518), and what else exports are known for.
"""

from __future__ import annotations

import codecs
import random
from collections.abc import Callable
from dataclasses import replace

from tests.clean_tables import Case, Style, Table, clean_table


def _case(kind: str, table: Table, text: str | bytes, **more: object) -> Case:
    data = text if isinstance(text, bytes) else text.encode()
    return Case(kind, data, table.names, table.rows, **more)  # type: ignore[arg-type]


# --- how it is written -----------------------------------------------------------------------------------------------


def delimiters(random_: random.Random) -> Case:
    table = clean_table(random_)
    table.style = Style(random_.choice([",", ";", "\t", "|"]), everywhere=random_.random() < 0.3)
    return _case("delimiter", table, table.text())


def rare_delimiters(random_: random.Random) -> Case:
    table = clean_table(random_, plain=True)
    table.style = Style(random_.choice(["^", "~", "\x1f", "\x01"]))
    return _case("rare delimiter", table, table.text())


def long_delimiters(random_: random.Random) -> Case:
    table = clean_table(random_, plain=True)
    table.style = Style(random_.choice(["||", ";;", ", ", "::", "\t\t"]))
    return _case("delimiter of two characters", table, table.text(), empty_columns=True)


def single_quotes(random_: random.Random) -> Case:
    table = clean_table(random_)
    table.style = Style(random_.choice([",", ";"]), "'", everywhere=random_.random() < 0.5)
    return _case("single quotes", table, table.text())


def escapes(random_: random.Random) -> Case:
    table = clean_table(random_)
    table.style = Style(random_.choice([",", ";"]), escape="\\", everywhere=random_.random() < 0.5)
    return _case("escapes", table, table.text())


def line_ends(random_: random.Random) -> Case:
    table = clean_table(random_)
    table.style = Style(end=random_.choice(["\r\n", "\r"]))
    text = table.text()
    return _case("line ends", table, text[: -len(table.style.end)] if random_.random() < 0.5 else text)


def mixed_line_ends(random_: random.Random) -> Case:
    table = clean_table(random_)
    text = "".join(line + random_.choice(["\n", "\r\n", "\r"]) for line in table.lines())
    return _case("mixed line ends", table, text)


def spaces(random_: random.Random) -> Case:
    table = clean_table(random_, plain=True)
    lines = [",".join(" " * random_.randrange(3) + f + " " * random_.randrange(3) for f in r)
             for r in [table.names, *table.rows]]  # fmt: skip
    return _case("spaces around fields", table, table.text(lines))


def spaces_before_quotes(random_: random.Random) -> Case:
    table = clean_table(random_)
    table.style = Style(everywhere=True)
    lines = [", ".join(map(table.style.field, r)) for r in [table.names, *table.rows]]
    return _case("spaces before quotes", table, table.text(lines))


def encodings(random_: random.Random) -> Case:
    table = clean_table(random_)
    mark = random_.choice([codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, b""])
    names = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be", codecs.BOM_UTF32_LE: "utf-32-le"}
    encoding = names.get(mark) or (random_.choice(["utf-16-le", "utf-16-be"]) if not mark else "utf-8")
    return _case(f"{encoding}, {'with' if mark else 'without'} mark", table, mark + table.text().encode(encoding))


def one_byte_encodings(random_: random.Random) -> Case:
    table = clean_table(random_)
    table.rows[random_.randrange(len(table.rows))][-1] = "Zürich"
    encoding = random_.choice(["latin-1", "cp1252", "mac-roman"])
    data = table.text().replace("日本", "Rome").replace("—", "-").encode(encoding)
    return _case(encoding, table, data, must_fail=True)


# --- what is no longer a table ---------------------------------------------------------------------------------------


def ragged(random_: random.Random) -> Case:
    """Some records have a field too many, or too few."""
    table = clean_table(random_)
    lines, bad = table.lines(), sorted(random_.sample(range(len(table.rows)), random_.randrange(1, 3)))
    for k in bad:
        longer = len(table.names) < 3 or random_.random() < 0.5
        lines[k + 1] = table.style.line([*table.rows[k], "more"] if longer else table.rows[k][:-1])
    numbers = _lines_of(lines)
    rows = [r for k, r in enumerate(table.rows) if k not in bad]
    found = replace(_case("ragged", table, table.text(lines)), rows=rows, must_fail=True)
    return replace(found, bad_lines=tuple(numbers[k + 1] for k in bad))


def _lines_of(records: list[str]) -> list[int]:
    numbers = [1]
    for record in records:
        numbers.append(numbers[-1] + 1 + record.count("\n"))
    return numbers


def lost_quotes(random_: random.Random) -> Case:
    """A field with the delimiter in it has lost its quotes."""
    table = clean_table(random_, plain=True)
    k = random_.randrange(len(table.rows))
    table.rows[k][-1] = "Smith, John"
    lines = table.lines()
    lines[k + 1] = ",".join(table.rows[k])
    case = _case("lost quotes", table, table.text(lines), must_fail=True, bad_lines=(k + 2,))
    return replace(case, rows=[r for i, r in enumerate(table.rows) if i != k])


def unclosed_quote(random_: random.Random) -> Case:
    table = clean_table(random_, plain=True)
    lines = table.lines()
    k = random_.randrange(1, len(lines))
    lines[k] = lines[k].replace(",", ',"', 1)
    return _case("unclosed quote", table, table.text(lines), must_fail=True)


def inches(random_: random.Random) -> Case:
    table = clean_table(random_, plain=True)
    for row in random_.sample(table.rows, 2):
        row[-1] = '5" pipe'
    lines = [",".join(r) for r in [table.names, *table.rows]]
    return _case("quotes inside", table, table.text(lines))


def preamble(random_: random.Random) -> Case:
    """Lines above the header: a title, a title with delimiters, keys and values, then perhaps an empty line."""
    table = clean_table(random_)
    width = len(table.names)
    above = random_.choice([
        ["Report of sales"], ["Report of sales", "made 2024-01-01"], ["# produced by a tool"], ["sep=,"],
        ["Sales" + "," * (width - 1)], ["Source:,office"], ["Units,in thousands", "Year,2020"], ["a,b,c,d,e,f,g,h"],
    ])  # fmt: skip
    empty = [""] * random_.randrange(2)
    return _case("preamble", table, table.text([*above, *empty, *table.lines()]), empty_columns=False, must_fail=True)


def footer(random_: random.Random) -> Case:
    table = clean_table(random_)
    below = random_.choice([["Total: 12"], ["# end"], ["", "Source: the office"], ["--"], ["1 row selected."]])
    return _case("footer", table, table.text([*table.lines(), *below]), must_fail=True)


def comments(random_: random.Random) -> Case:
    table = clean_table(random_)
    lines = table.lines()
    lines.insert(random_.randrange(1, len(lines)), "# a remark")
    return _case("comment", table, table.text(lines), must_fail=True)


def two_tables(random_: random.Random) -> Case:
    table, other = clean_table(random_), clean_table(random_)
    if len(other.names) == len(table.names):
        other = Table([*other.names, "z"], [[*r, "1"] for r in other.rows])
    lines = [*table.lines(), *[""] * random_.randrange(2), *other.lines()]
    return _case("two tables", table, table.text(lines), must_fail=True)


def mixed_delimiters(random_: random.Random) -> Case:
    table = clean_table(random_, plain=True)
    lines = table.lines()
    k = random_.randrange(1, len(lines))
    lines[k] = lines[k].replace(",", ";")
    return _case("mixed delimiters", table, table.text(lines), must_fail=True)


def bad_bytes(random_: random.Random) -> Case:
    table = clean_table(random_)
    data = bytearray(table.text().encode())
    at = data.index(b"\n") + 1 + random_.randrange(4)
    data[at:at] = random_.choice([b"\xff", b"\xc3\x28", b"\x80", b"\xed\xa0\x80"])
    return _case("bytes that are no UTF-8", table, bytes(data), must_fail=True)


def zero_bytes(random_: random.Random) -> Case:
    table = clean_table(random_)
    text = table.text()
    at = random_.randrange(1, len(text))
    count = random_.choice([1, 7])
    return _case("NUL", table, text[:at] + "\0" * count + text[at:], must_fail=True)


def cut_short(random_: random.Random) -> Case:
    """The file ends in the middle of its last record."""
    table = clean_table(random_, plain=True)
    text = table.text()
    last = text.rindex("\n", 0, -1)
    at = random_.randrange(last + 2, text.index(",", last) + 1)
    return _case("cut short", table, text[:at], must_fail=True)


# --- what is a table all the same ------------------------------------------------------------------------------------


def empty_lines(random_: random.Random) -> Case:
    table = clean_table(random_)
    lines = table.lines()
    for _ in range(random_.randrange(1, 4)):
        lines.insert(random_.randrange(len(lines) + 1), "")
    return _case("empty lines", table, table.text(lines))


def trailing_delimiters(random_: random.Random) -> Case:
    table = clean_table(random_)
    lines = [line + "," for line in table.lines()]
    if random_.random() < 0.5:
        return _case("trailing delimiters", table, table.text(lines), empty_columns=True)
    return _case(
        "trailing delimiters, not in the header", table, table.text([table.lines()[0], *lines[1:]]), must_fail=True
    )


def offset_table(random_: random.Random) -> Case:
    table = clean_table(random_)
    lines = ["," * random_.choice([1, 2]) + line for line in table.lines()]
    first = lines[0][: len(lines[0]) - len(lines[0].lstrip(","))]
    lines = [first + line.lstrip(",") if k == 0 else first + table.lines()[k] for k, line in enumerate(lines)]
    above = [""] * random_.randrange(3)
    return _case("offset", table, table.text([*above, *lines]), empty_columns=True)


def header_names(random_: random.Random) -> Case:
    table = clean_table(random_)
    k = random_.randrange(len(table.names))
    if random_.random() < 0.5:
        table.names[k] = ""
        named = [*table.names]
        named[k] = f"column_{k + 1}"
        kind = "empty name"
    else:
        table.names[-1] = table.names[0]
        named = [*table.names[:-1], f"{table.names[0]}_2"]
        kind = "repeated name"
    return replace(_case(kind, table, table.text()), names=named)


def no_header(random_: random.Random) -> Case:
    table = clean_table(random_)
    return _case("no header", table, table.text(table.lines()[1:]), names_first_row=True)


def null_spellings(random_: random.Random) -> Case:
    table = clean_table(random_)
    for row in table.rows:
        if random_.random() < 0.4:
            row[-1] = random_.choice(["NA", "N/A", "null", "NULL", "nan", "-", "None", "\\N", "?", "#N/A", "."])
    return _case("null spellings", table, table.text())


def number_forms(random_: random.Random) -> Case:
    table = clean_table(random_)
    forms = ["1,234.5", "1.234,5", "1 234", "$5", "50%", "(5)", "+7", "1e5", "007", "١٢", "0x10", "1_000", "½", "12-"]
    form = random_.choice(forms)
    for row in table.rows:
        row[-1] = form if random_.random() < 0.7 else str(random_.randrange(10))
    return _case("number forms", table, table.text())


def long_fields(random_: random.Random) -> Case:
    table = clean_table(random_)
    random_.choice(table.rows)[-1] = random_.choice(["x", "ü,", 'q"', "a\n"]) * random_.choice([70_000, 300_000])
    return _case("long field", table, table.text())


def odd_breaks(random_: random.Random) -> Case:
    """Characters that some readers take for line ends."""
    table = clean_table(random_)
    for row in table.rows:
        if random_.random() < 0.5:
            row[-1] = f"a{random_.choice(chr(11) + chr(12) + chr(28) + chr(0x85) + chr(0x2028) + chr(0xFEFF))}b"
    return _case("odd breaks", table, table.text())


def control_z(random_: random.Random) -> Case:
    table = clean_table(random_)
    return _case("control-Z at the end", table, table.text() + "\x1a", must_fail=True)


def decimal_commas(random_: random.Random) -> Case:
    table = clean_table(random_, plain=True)
    for row in table.rows:
        row[-1] = f"{random_.randrange(100)},{random_.randrange(10, 99)}"
    table.style = Style(";")
    return _case("decimal commas", table, table.text())


POLLUTIONS: dict[str, Callable[[random.Random], Case]] = {
    make.__name__: make
    for make in (
        delimiters, rare_delimiters, long_delimiters, single_quotes, escapes, line_ends, mixed_line_ends, spaces,
        spaces_before_quotes, encodings, one_byte_encodings, ragged, lost_quotes, unclosed_quote, inches, preamble,
        footer, comments, two_tables, mixed_delimiters, bad_bytes, zero_bytes, cut_short, empty_lines,
        trailing_delimiters, offset_table, header_names, no_header, null_spellings, number_forms, long_fields,
        odd_breaks, control_z, decimal_commas,
    )
}  # fmt: skip
