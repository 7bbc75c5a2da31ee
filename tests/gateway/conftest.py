"""A client may speak the messages of the exchange's own file."""

from tests.ilink.messages.conftest import generated_from, schema_file

__all__ = ["generated_from", "schema_file"]
