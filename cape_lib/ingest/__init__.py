"""What people have - results files of many tools, tables, folders of both - as one checked table of scores."""

from cape_lib.ingest.intake import Imported, Intake, Options, read_any, read_results, write_scores
from cape_lib.ingest.readers import Source, task_table
