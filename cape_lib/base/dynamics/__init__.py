"""Scores as a motion in size: systems of equations, forecasts, hold-outs, the gamma flow and the loss."""

from cape_lib.base.dynamics.ahead import METHODS, carried_on
from cape_lib.base.dynamics.flow import GammaFlow, gamma_flow
from cape_lib.base.dynamics.holdout import hold_out, leave_one_family_out
from cape_lib.base.dynamics.judge import FitError, fit_error, leave_one_size_out
from cape_lib.base.dynamics.loss import LossLaw, loss_law
from cape_lib.base.dynamics.systems import System, fit_linear, fit_sparse, forecast, midpoints

__all__ = [
    "METHODS",
    "FitError",
    "GammaFlow",
    "LossLaw",
    "System",
    "carried_on",
    "fit_error",
    "fit_linear",
    "fit_sparse",
    "forecast",
    "gamma_flow",
    "hold_out",
    "leave_one_family_out",
    "leave_one_size_out",
    "loss_law",
    "midpoints",
]
