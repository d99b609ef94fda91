"""app.json has its content."""

import json
import os

fd = os.open("app.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
os.write(fd, b'{"port": 8080}\n')
os.close(fd)
with open("app.json") as file:
    print(json.load(file)["port"])
