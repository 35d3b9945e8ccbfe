"""What people have - results files of many tools, tables, folders of both - as one checked table of scores."""

from cape_lib.ingest.intake import Intake, Options, read_any, write_scores
from cape_lib.ingest.readers import Source, task_table
