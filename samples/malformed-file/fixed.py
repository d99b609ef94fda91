"""app.json is well-formed."""

import json
import os

fd = os.open("app.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
os.write(fd, b'{"port": 8080,\n "hosts": ["a", "b"]}\n')
os.close(fd)
with open("app.json") as file:
    print(json.load(file)["port"])
