"""The tables of the book and a user's scores: loaded, checked, with the source of every value."""

from cape_lib.tables.axes import Axis, axis_named
from cape_lib.tables.base import BASE_PANELS, added, base, base_version, base_versions, ladder, ladders, losses
from cape_lib.tables.benchmarks import BASE_BENCHMARKS, CHANCE, FRONTIER_BENCHMARKS, ITEM_COUNTS, LABELS, label
from cape_lib.tables.chapters import ChapterRows, FrontierRows, chapter, frontier_chapter, mark, promise, promises
from cape_lib.tables.files import data_dir, load, table_names
from cape_lib.tables.frontier import FRONTIER_PANELS, chosen, dated_by_makers, frontier, last_stated, source_url
from cape_lib.tables.one_family import Ladder, between_runs, ladder_of, one_family, refuse_unnamed
from cape_lib.tables.scores import (
    STORED,
    Scores,
    TableOptions,
    by_columns,
    check_scores,
    read_checked,
    read_scores,
    score_benchmarks,
    write_checked,
)
from cape_lib.tables.variants import RULE as VARIANT_RULE
from cape_lib.tables.variants import variants
