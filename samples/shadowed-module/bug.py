"""The program has a file random.py of its own, and needs random of the standard library."""

import os

os.makedirs("app", exist_ok=True)
with open("app/random.py", "w") as file:
    file.write("SEED = 4\n")
with open("app/main.py", "w") as file:
    file.write("import random\n\nprint(random.randint(1, 6))\n")
os.execv("/usr/bin/python3", ["python3", "-S", "-B", "app/main.py"])
