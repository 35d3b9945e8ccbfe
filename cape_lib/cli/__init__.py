"""The command `cape`: one module a group of commands, loaded only when its command is called."""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import re
import sys
import tomllib
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import cape_lib
from cape_lib.errors import CapeError, one_line
from cape_lib.names import suggest
from cape_lib.output import print_json

#: kinds of values that an option of `commands.toml` may have
_TYPES: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "path": Path}
#: what `probe` and `steer` need and a light installation lacks
_OF_LM = ("torch", "transformers", "safetensors", "accelerate")
#: what the surroundings can refuse -> the mend
_REFUSED = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "make room there, or choose another place"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "allow writing there, or choose another place"),
}
#: what a file or folder is called while it is written: .NAME.part, or .NAME.xxxxxxxx.part
_PART = re.compile(r"^\.(.+?)(?:\.[a-z0-9_]{8})?\.part$")


class _Parser(argparse.ArgumentParser):
    """Wrong usage is one line on stderr and exit 2."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


@cache
def table() -> dict[str, Any]:
    """`commands.toml`: every command with its module, its options and what stands below them."""
    return tomllib.loads(files("cape_lib.cli").joinpath("commands.toml").read_text(encoding="utf-8"))


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """The parser of `cape` (`command` None) or of one command; its `run` is the function that answers.

    That function, `run_<command>(args)`, returns what `--json` prints, the lines of the answer in words and perhaps an
    exit code; or that code alone (None for 0).
    """
    raw, commands = argparse.RawDescriptionHelpFormatter, table()["commands"]
    if command is None:
        lines = "\n".join(f"  {name:<12} {one['summary']}" for name, one in commands.items())
        about = "Capability coupling of language models: the instruments of the CAPE book."
        epilog = f"commands:\n{lines}\n\n'cape COMMAND --help' says more."
        parser = _Parser(prog="cape", description=about, epilog=epilog, formatter_class=raw)
        parser.add_argument("--version", action="version", version=f"cape {cape_lib.__version__}")
        parser.add_argument("command", metavar="COMMAND", help="one of the commands below")
        return parser
    summary, epilog = commands[command]["summary"], table()["epilogs"].get(command)
    about = f"{summary[0].upper()}{summary[1:]}."
    parser = _Parser(prog=f"cape {command}", description=about, epilog=epilog, formatter_class=raw)
    _add_options(parser, command)
    module = importlib.import_module(f"cape_lib.cli.{commands[command]['module']}")
    parser.set_defaults(run=getattr(module, f"run_{command}"))
    return parser


def _add_options(parser: argparse.ArgumentParser, name: str, but: Sequence[str] = ()) -> None:
    """Add the options of a command, or of a shared table, without those named in `but`."""
    for section in table()[name]:
        if "use" in section:
            _add_options(parser, section["use"], section.get("but", ()))
            continue
        where: argparse._ActionsContainer = parser
        if "group" in section:
            where = parser.add_argument_group(section["group"], section.get("about"))
        elif "exclusive" in section:
            where = parser.add_mutually_exclusive_group()
        for flags, settings in section.items():
            if flags not in ("group", "about", "exclusive", *but):
                where.add_argument(*flags.split(), **_settings(settings))


def _settings(option: str | dict[str, Any]) -> dict[str, Any]:
    """An option of the table as `argparse` takes it."""
    if isinstance(option, str):
        return {"action": "store_true", "help": option}
    settings = {name: tuple(value) if isinstance(value, list) else value for name, value in option.items()}
    settings |= {"type": _TYPES[option["type"]]} if "type" in option else {}
    settings |= {"default": []} if option.get("action") == "append" else {}
    return settings | ({"action": argparse.BooleanOptionalAction} if option.get("action") == "yes or no" else {})


def progress(quiet: bool) -> Callable[[int, int, str], None]:
    """A function that is called with (done, all, what): a bar with the time left on a terminal, nothing elsewhere."""
    from tqdm import tqdm

    bar = tqdm(disable=True if quiet else None, file=sys.stderr)

    def tell(done: int, total: int, what: str) -> None:
        bar.total = total
        bar.set_postfix_str(what, refresh=False)
        bar.update(done - bar.n)
        if done >= total:
            bar.close()

    return tell


def page_to_open(page: Path) -> str:
    """A page as one types its place: relative, where it is below the folder at hand."""
    page = page.resolve()
    return os.path.relpath(page) if page.is_relative_to(Path.cwd()) else str(page)


def pair_of(args: argparse.Namespace) -> tuple[str, str] | None:
    """The benchmarks of `--x` and `--y` by our names ("GSM8K" is gsm8k), None where neither is given.

    Beside one alone stands HellaSwag or TruthfulQA.
    """
    if not args.x and not args.y:
        return None
    from cape_lib.tables.benchmarks import PAIRS
    from cape_lib.tables.columns import known_name

    x, y = PAIRS[0]
    return known_name(args.x or x), known_name(args.y or y)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (0 done, 2 usage, 3 file, 4 missing, 5 mixed, 6 surroundings)."""
    argv = list(sys.argv[1:] if argv is None else argv)
    args = None

    def refused(code: int, message: object) -> int:
        print(f"cape {argv[0]}: {message}", file=sys.stderr)
        return code

    try:
        if not argv:
            build_parser().print_help()
            return 2
        if argv[0].startswith("-"):
            build_parser().parse_args(argv[:1] if argv[0] in ("-h", "--help", "--version") else [argv[0], "-"])
        if argv[0] not in table()["commands"]:
            print(f"cape: {suggest('command', argv[0], table()['commands'])}", file=sys.stderr)
            return 2
        args = build_parser(argv[0]).parse_args(argv[1:])
        answer = args.run(args)
        if not isinstance(answer, tuple):
            return answer or 0
        data, lines, *code = answer
        if args.json:
            print_json(data)
        else:
            for line in lines:
                print(line)
        return code[0] if code else 0
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    except CapeError as error:
        return refused(error.exit_code, error)
    except ModuleNotFoundError as error:
        if error.name not in _OF_LM:
            raise
        return refused(6, f"needs {error.name}: pip install '.[lm]' in the repository")
    except KeyboardInterrupt:
        return refused(130, "interrupted")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.errno not in _REFUSED:
            raise
        # A disk that fills up while a file is written is reported without a name.
        named = error.filename or error.filename2 or getattr(args, "output", None)
        place = f"{_asked_for(named)}: " if named else ""
        return refused(6, f"{place}{error.strerror}; {_REFUSED[error.errno]}")


def _asked_for(name: object) -> str:
    """The file or folder that somebody asked for, where an error names the one that is written in its place."""
    path = Path(os.fsdecode(name) if isinstance(name, (str, bytes, os.PathLike)) else str(name))
    for place in (path, *path.parents):
        if written := _PART.match(place.name):
            return one_line(str(place.with_name(written[1])))
    return one_line(str(path))
