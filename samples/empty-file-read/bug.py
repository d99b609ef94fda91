"""app.json is there and empty, as after a write that was cut short."""

import json
import os

os.close(os.open("app.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644))
with open("app.json") as file:
    print(json.load(file)["port"])
