"""What can go wrong, in words for a person. The command line turns each into one line and an exit code."""


def one_line(text: str) -> str:
    """The text with every line end, control and direction mark written out ("\\n"), fit for a terminal."""
    return "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in text)


class CapeError(Exception):
    """An expected failure. `exit_code` is what `cape` returns; the message names the place and the mend."""

    exit_code = 1

    def __str__(self) -> str:
        """The message in one line, whatever the names in somebody's file hold."""
        return one_line(super().__str__())


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
