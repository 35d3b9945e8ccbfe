"""One model, family, release or model of today: scores in, diagnosis out, with how sure and what to measure next."""

from cape_lib.dashboard.kit import kit
from cape_lib.dashboard.known import diagnose_model, diagnose_release, diagnose_variant
from cape_lib.dashboard.one_family import diagnose_family, diagnose_pairs
from cape_lib.dashboard.page import rule_table, show, what_it_compares_with
