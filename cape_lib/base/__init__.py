"""Coupling, boundary, dynamics and levers of base models: tables in, numbers with intervals out."""
