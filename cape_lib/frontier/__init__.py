"""The frontier: two scores of a release, the line through all of them, and what lies off it.

The room offers what its modules on releases define; those on model variants (`variants`, `effort`) go by their names.
"""

from cape_lib.frontier.labs import *
from cape_lib.frontier.lines import *
from cape_lib.frontier.saturation import *
from cape_lib.frontier.trajectory import *
