"""The file of the program has a name that no module of the standard library has."""

import os

os.makedirs("tool", exist_ok=True)
with open("tool/seeds.py", "w") as file:
    file.write("SEED = 4\n")
with open("tool/main.py", "w") as file:
    file.write("import random\n\nprint(random.randint(1, 6))\n")
os.execv("/usr/bin/python3", ["python3", "-S", "-B", "tool/main.py"])
