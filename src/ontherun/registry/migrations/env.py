"""Run by Alembic, with the connection that the registry hands over."""

from alembic import context

from ontherun.registry.tables import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
context.run_migrations()
