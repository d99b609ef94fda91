"""Text beyond ASCII in the C locale, with Python as it was before 3.7: it now turns to UTF-8 by itself."""

import os

PROGRAM = 'print("caf\\xe9")'
ENVIRONMENT = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
os.execve("/usr/bin/python3", ["python3", "-S", "-B", "-c", PROGRAM], ENVIRONMENT)
