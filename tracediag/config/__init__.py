"""What a user sets once for a folder: `[tool.tracediag]` of pyproject.toml, or tracediag.toml.

schema     the keys and their types; a further key is one line there
find       the file, from the working directory upwards
read       file -> `Config`; errors that name the file, the line, the key and the valid values
checks     what the types do not say of a value
lines      the line of a key: tomllib tells none
settings   the file and `--config KEY=VALUE` together, each key with the place that sets it

Only the command line reads it: the library takes its settings as arguments. Nothing in it is executed.
"""

from tracediag.config.find import find_config
from tracediag.config.read import ConfigError, Found, read_config
from tracediag.config.schema import Config
from tracediag.config.settings import SettingError, Settings, settings_of

__all__ = [
    "Config",
    "ConfigError",
    "Found",
    "SettingError",
    "Settings",
    "find_config",
    "read_config",
    "settings_of",
]
