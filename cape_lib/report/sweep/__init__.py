"""Every family of a table, diagnosed on many processes: resumable, with a page that shows them all."""

from cape_lib.report.sweep.run import sweep
from cape_lib.report.sweep.work import Task, answer, tasks
