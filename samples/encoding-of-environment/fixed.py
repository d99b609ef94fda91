"""The same text in a UTF-8 locale."""

import os

PROGRAM = 'print("caf\\xe9")'
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
os.execve("/usr/bin/python3", ["python3", "-S", "-B", "-c", PROGRAM], ENVIRONMENT)
