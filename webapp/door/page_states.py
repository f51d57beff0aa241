"""What Gradio remembers of open pages, bounded for all: who has most of them loses one, not who was away longest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from gradio.state_holder import StateHolder


class PageStates(StateHolder):
    """Gradio's states of pages, page -> state, the one used last at the end; whose: to whom a page is counted."""

    def __init__(self, whose: Callable[[str], str]) -> None:
        super().__init__()
        self._whose = whose

    def update(self, session_id: str) -> None:
        """Note that a page was used; one is forgotten when there are more than ``capacity``."""
        with self.lock:
            if session_id in self.session_data:
                self.session_data.move_to_end(session_id)
            while len(self.session_data) > self.capacity:
                gone = self._one_too_many(session_id)
                del self.session_data[gone]
                self.time_last_used.pop(gone, None)

    def _one_too_many(self, used: str) -> str:
        """Return the page of who has most that was not used for longest; never the one that is used now."""
        owners = {page: self._whose(page) for page in self.session_data}
        most = max(Counter(owners.values()).values())
        greedy = {owner for owner, pages in Counter(owners.values()).items() if pages == most}
        return next(page for page in self.session_data if page != used and owners[page] in greedy)
