"""The parts of an Excel workbook, looked over before the library reads any of them whole."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path

from toolkit.core.errors import BadInputError

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LARGEST_SHARED = 512 << 20
_LARGEST_PART = 64 << 20
_LARGEST_SHEET = 16 << 30
_LOOKED_AT = 1 << 20
_DOCTYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_CELL_END = b"</c>"
_DAMAGES = (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError, EOFError)
_BARE_FORMULA = re.compile(rb"(?:</f>|<f(?:\s[^>]*)?/>)\s*(?:<v\s*/>|<v></v>)?\s*</c>")


def check_workbook(path: Path) -> None:
    """Refuse what is no workbook of today's format, and parts that would take all memory.

    Raises
    ------
    BadInputError
        Naming what is wrong and what to do.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(_LOOKED_AT)
    except OSError as error:
        raise BadInputError(f"{path} can't be read: {error.strerror}") from error
    if head.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in head or _in_file(path, "EncryptedPackage".encode("utf-16-le")):
            raise BadInputError(f"{path} is protected with a password", "save it without one, and convert that")
        raise BadInputError(
            f"{path} is a workbook of the old .xls format, or no workbook", "save it as .xlsx, or as CSV"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            _check_parts(path, archive)
    except _DAMAGES as error:
        raise BadInputError(f"{path} is not a whole .xlsx file: {error}", "get it again from its origin") from error


def _check_parts(path: Path, archive: zipfile.ZipFile) -> None:
    names = {info.filename: info for info in archive.infolist()}
    if "xl/workbook.bin" in names:
        raise BadInputError(f"{path} is a binary workbook (.xlsb)", "save it as .xlsx")
    if "[Content_Types].xml" not in names or not any(n.endswith("workbook.xml") for n in names):
        raise BadInputError(f"{path} is a zip file without a workbook in it", "is it an .xlsx file?")
    for name, info in names.items():
        if not name.endswith((".xml", ".rels")):
            continue
        limit = _LARGEST_PART
        if "sharedStrings" in name:
            limit = _LARGEST_SHARED
        elif "/worksheets/" in name:
            limit = _LARGEST_SHEET
        if info.file_size > limit:
            raise BadInputError(
                f"{path}: its part {name} has {info.file_size:,} bytes; at most {limit:,} are taken", "save it as CSV"
            )
        with archive.open(info) as stream:
            if _DOCTYPE.search(stream.read(_LOOKED_AT)):
                raise BadInputError(
                    f"{path}: its part {name} has a document type declaration, whose entities could be of any size",
                    "save it again with a spreadsheet program",
                )


def bare_formulas(path: Path, part: str) -> int:
    """How many formulas of a sheet have no value with them, as programs write that don't compute any.

    Parameters
    ----------
    path : Path
        The workbook.
    part : str
        Name of the sheet's part.
    """
    count = 0
    with zipfile.ZipFile(path) as archive, archive.open(part.lstrip("/")) as stream:
        rest = b""
        while data := stream.read(_LOOKED_AT):
            block = rest + data
            end = block.rfind(_CELL_END) + len(_CELL_END)
            if end < len(_CELL_END):
                rest = block[-_LOOKED_AT:]
                continue
            count += sum(1 for _ in _BARE_FORMULA.finditer(block, 0, end))
            rest = block[end:]
    return count


def _in_file(path: Path, wanted: bytes) -> bool:
    with path.open("rb") as stream:
        rest = b""
        while data := stream.read(_LOOKED_AT):
            if wanted in rest + data:
                return True
            rest = data[-len(wanted) :]
    return False
