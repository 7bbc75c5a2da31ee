"""The generator: a loaded schema in, the text of a Python package out."""

from ontherun.sbe.generator.package import generate

__all__ = ["generate"]
