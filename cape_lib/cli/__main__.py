"""`python -m cape_lib.cli` is the command `cape`."""

import sys

from cape_lib.cli import main

sys.exit(main())
