"""`python -m cape_lib.tables`: checks every table."""

import sys

from cape_lib.errors import CapeError
from cape_lib.tables.files import load, table_names

try:
    for name in table_names():
        load(name)
except CapeError as error:
    sys.exit(f"{error}")
