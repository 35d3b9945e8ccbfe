"""`cape book`: execute the notebooks and build the book."""

from __future__ import annotations

import argparse
from pathlib import Path

from cape_lib.cli import page_to_open
from cape_lib.errors import UsageError


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of `cape book`."""
    where = "folder of the book (default: _build; the page to open is DIR/html/index.html)"
    parser.add_argument("-o", "--output", type=Path, default=Path("_build"), metavar="DIR", help=where)
    parser.add_argument("-j", "--jobs", type=int, default=2, metavar="N", help="kernels at a time (default: 2)")
    parser.add_argument("--fresh", action="store_true", help="execute and build everything again")
    parser.add_argument("--quiet", action="store_true", help="print nothing but the page to open")


def run(args: argparse.Namespace) -> None:
    """Build the book and print the path of the page to open."""
    if not 1 <= args.jobs <= 64:
        raise UsageError(f"--jobs {args.jobs}: choose a number from 1 to 64")
    from cape_lib.report import need_book

    need_book("the book", "jupyter_book")
    from cape_lib.report import publish

    index = publish.book(args.output, jobs=args.jobs, fresh=args.fresh, quiet=args.quiet)
    print(page_to_open(index))
