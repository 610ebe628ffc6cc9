"""What is wrong with a recording: it is text from outside, and may be torn, damaged, or of another release."""

from __future__ import annotations

from console.domain.errors import ConsoleError


class Damaged(ConsoleError):  # noqa: N818 - what an operator is told
    """What stands there can't be what was recorded."""

    title = "Damaged recording"
