"""Groups and datasets of an HDF5 file, none of which leads to another file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.core.errors import BadInputError

if TYPE_CHECKING:
    import h5py

_DEEPEST_LINKS = 16
_LARGEST_CHUNK = 256 << 20
_SURE_SIZE = 256 << 20
_LARGEST_RATIO = 20_000
"""More than any compressor of HDF5 makes of a column that is not empty."""

_LEAVES_THE_FILE = "it could be any file of this machine; copy the data into one file (h5repack)"


def children(group: h5py.Group) -> Iterator[str]:
    """Names of a group's members, in order, without those that lead to other files or nowhere."""
    for name in sorted(group):
        try:
            if find(group, name) is not None:
                yield name
        except BadInputError:
            continue


def outside(group: h5py.Group) -> list[str]:
    """Names of a group's members that lead to another file."""
    found = []
    for name in sorted(group):
        try:
            find(group, name)
        except BadInputError:
            found.append(name)
    return found


def find(group: h5py.Group, path: str, depth: int = 0) -> Any:
    """A member of a group; None where there is none, or where links go in a circle.

    Parameters
    ----------
    group : h5py.Group
        Where the path begins.
    path : str
        Names, separated by slashes; from the root where it begins with one.

    Raises
    ------
    BadInputError
        When a link on the way leads to another file.
    """
    import h5py

    if depth > _DEEPEST_LINKS:
        return None
    here: Any = group.file["/"] if path.startswith("/") else group
    for name in (n for n in path.split("/") if n not in ("", ".")):
        if not isinstance(here, h5py.Group):
            return None
        link = here.get(name, getlink=True) if name in here or _has_link(here, name) else None
        if link is None:
            return None
        if isinstance(link, h5py.ExternalLink):
            raise BadInputError(
                f"{here.name.rstrip('/')}/{name} is a link to another file ({link.filename!r})", _LEAVES_THE_FILE
            )
        here = find(here, link.path, depth + 1) if isinstance(link, h5py.SoftLink) else here[name]
        if here is None:
            return None
    return here


def _has_link(group: h5py.Group, name: str) -> bool:
    return bool(group.id.links.exists(name.encode()))


def check_dataset(dataset: h5py.Dataset) -> list[str]:
    """Refuse a dataset that reads other files, or whose sizes can't be true.

    Returns
    -------
    list of str
        What a person must know of it.

    Raises
    ------
    BadInputError
        Naming dataset, size and limit.
    """
    name = dataset.name
    if dataset.is_virtual:
        raise BadInputError(f"{name} is a virtual dataset, put together from other files", _LEAVES_THE_FILE)
    if dataset.external:
        raise BadInputError(f"{name} keeps its data in another file", _LEAVES_THE_FILE)
    rows = math.prod(dataset.shape or (0,))
    itemsize = dataset.id.get_type().get_size()
    stored = dataset.id.get_storage_size()
    if rows * itemsize > _SURE_SIZE and rows * itemsize > stored * _LARGEST_RATIO:
        raise BadInputError(
            f"{name} says it has {rows:,} values, and stores {stored:,} bytes for them",
            "get the file again from its origin",
        )
    return _check_chunks(dataset, rows, itemsize) if dataset.chunks else []


def _check_chunks(dataset: h5py.Dataset, rows: int, itemsize: int) -> list[str]:
    import h5py

    size = math.prod(dataset.chunks) * itemsize
    if size > _LARGEST_CHUNK:
        raise BadInputError(
            f"{dataset.name} has chunks of {size:,} bytes, each of which must be read whole; at most "
            f"{_LARGEST_CHUNK:,} are taken",
            "write it again with smaller chunks (h5repack -l CHUNK)",
        )
    plist = dataset.id.get_create_plist()
    for i in range(plist.get_nfilters()):
        code, _, _, label = plist.get_filter(i)
        if not h5py.h5z.filter_avail(code):
            text = label.decode("utf-8", "replace") or "unnamed"
            raise BadInputError(
                f"{dataset.name} is compressed with the filter {text} ({code}), which is not installed",
                "write it again with gzip (h5repack -f GZIP=4), or: ptrepack --complib=zlib",
            )
    whole = math.prod(-(-n // c) for n, c in zip(dataset.shape, dataset.chunks, strict=True))
    there = dataset.id.get_num_chunks()
    if rows and there < whole:
        return [f"{dataset.name}: {whole - there:,} of {whole:,} chunks were never written; they hold its fill value"]
    return []


def text(value: Any) -> str:
    """An attribute as text; empty where it is none."""
    if isinstance(value, np.ndarray) and value.shape in ((), (1,)):
        value = value.reshape(-1)[0]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value) if isinstance(value, str) else ""


def attribute(item: Any, name: str) -> Any:
    """An attribute's value; None where there is none, or HDF5 can't read it."""
    try:
        return item.attrs.get(name)
    except (OSError, RuntimeError, TypeError, ValueError, KeyError):
        return None
