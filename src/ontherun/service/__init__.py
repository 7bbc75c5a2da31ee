"""Composition: settings, the system clock, wiring, process start and stop."""
