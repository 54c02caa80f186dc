from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.kernels.base import Kernel, kernels

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "kernels.md").read_text("utf-8")


@pytest.mark.parametrize("kernel", kernels.all().values(), ids=lambda k: k.name)
def test_every_kernel_stands_in_the_docs(kernel: type[Kernel]) -> None:
    (row,) = [line for line in TEXT.splitlines() if line.startswith(f"| `{kernel.name}` |")]
    params, state_class, reference = row.split("|")[3:6]
    assert state_class.strip() == kernel.state_class
    assert not reference.strip() or reference.strip() in kernel.references
    inherited = "those of `order`" in params
    named = {name for name in kernel.defaults if f"`{name}`" in params}
    assert inherited or named == set(kernel.defaults)
