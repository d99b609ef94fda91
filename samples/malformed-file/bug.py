"""A comma is missing in app.json: the parser says where, and not in which file."""

import json
import os

fd = os.open("app.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
os.write(fd, b'{"port": 8080,\n "hosts": ["a" "b"]}\n')
os.close(fd)
with open("app.json") as file:
    print(json.load(file)["port"])
