"""What a user sets once for a folder: `[tool.tracediag]` of pyproject.toml, or tracediag.toml.

schema     the keys and their types; a further key is one line there
find       the file, from the working directory upwards
read       file -> `Config`; errors that name the file, the line, the key and the valid values
lines      the line of a key: tomllib tells none

Only the command line reads it: the library takes its settings as arguments. Nothing in it is executed.
"""

from tracediag.config.find import find_config
from tracediag.config.read import ConfigError, Found, read_config
from tracediag.config.schema import Config

__all__ = ["Config", "ConfigError", "Found", "find_config", "read_config"]
