"""Any causal language model with open weights, ready for probing and steering.

>>> from cape_lib.lm import models
>>> lm = models.load("data/testbed/R-s1")        # a folder, or the id of a model on the hub
>>> lm.depth, lm.width
(4, 32)
"""

from cape_lib.lm.models.loading import load, untrained, with_chat
from cape_lib.lm.models.record import LanguageModel, ModelError, Site, site_of, wrap
from cape_lib.lm.models.running import Batch, encode, run
