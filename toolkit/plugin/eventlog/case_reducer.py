"""What plugins on the sorted event log that are split over its chunks have in common."""

from __future__ import annotations

from abc import ABC
from functools import cached_property
from typing import Any

from toolkit.plugin.eventlog.labels import Labels
from toolkit.plugin.eventlog.roles import Roles
from toolkit.plugin.reducer import Reducer


class CaseReducer(Reducer, ABC):
    """A Reducer over whole cases; its manifest names ``profile_eventlog`` in ``depends_on``."""

    @cached_property
    def profile(self) -> dict[str, Any]:
        """What ``profile_eventlog`` found."""
        return self.ctx.result("profile_eventlog").data

    @cached_property
    def roles(self) -> Roles:
        """The columns of the event log."""
        return Roles.of(self.profile)

    @cached_property
    def labels(self) -> Labels:
        """Codes of the activities."""
        return Labels(self.ctx, self.roles.activity)
