"""What can go wrong, in words for a person. The command line turns each into one line and an exit code."""


class CapeError(Exception):
    """An expected failure. `exit_code` is what `cape` returns; the message names the place and the mend."""

    exit_code = 1


class UsageError(CapeError):
    """An option, name or value on the command line or in a call that cannot be used (exit 2)."""

    exit_code = 2


class ScoresError(CapeError, ValueError):
    """A file or table of scores that cannot be read or holds an impossible value (exit 3)."""

    exit_code = 3


class MissingError(ScoresError):
    """A benchmark or a size that the analysis needs is not there (exit 4)."""

    exit_code = 4


class MixedProtocolError(ScoresError):
    """Scores measured by different protocols stand in one column (exit 5)."""

    exit_code = 5


class SurroundingsError(CapeError):
    """The surroundings fail: no hub, memory, scheduler, browser, permission or space (exit 6)."""

    exit_code = 6
