"""Which environment a venue is, and that its data stay in it: nothing is shared between environments (CME Customer
Center help, Accessing Request Center NR/Cert). Only LOCAL is easy on people: elsewhere a second factor is required.
"""

from pathlib import Path
from typing import Literal

from ontherun.registry import RegistryError

Environment = Literal["LOCAL", "CERT", "NEWRELEASE", "PROD"]

_FILE_NAME = "environment"
_DATABASE = "registry.sqlite3"


def keep_environment(data_dir: Path, environment: Environment) -> None:
    """Write down whose a new data directory is. RegistryError when it is another environment's: one that was made to
    ask for second factors must not come up as one that does not."""
    path = data_dir / _FILE_NAME
    found: str = environment
    if path.exists():
        found = path.read_text(encoding="ascii").strip()
    elif (data_dir / _DATABASE).exists():
        found = "LOCAL"
    if found != environment:
        raise RegistryError(f"{data_dir} is of the environment {found}: start it with --environment {found}")
    if environment != "LOCAL" and not path.exists():
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(f"{environment}\n", encoding="ascii")
