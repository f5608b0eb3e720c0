"""Runs the shell step of action.yml as a runner does: its script in a file, `bash -e -o pipefail`,
its inputs in the environment, its outputs in a file.

    python act.py action.yml URL OUTPUT ARGS...

Prints the step's exit code and its verdict.
"""

import os
import re
import subprocess
import sys
import tempfile

from ruamel.yaml import YAML

action, url, output, *args = sys.argv[1:]
with open(action, encoding="utf-8") as file:
    action = YAML(typ="safe").load(file)
given = {"url": url, "output": output, "args": " ".join(args)}
inputs = {name: str(given.get(name, known.get("default", ""))) for name, known in action["inputs"].items()}
step = next(step for step in action["runs"]["steps"] if "run" in step)


def filled(text):
    return re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda found: inputs[found[1]], text)


with tempfile.TemporaryDirectory() as folder:
    script, outputs = os.path.join(folder, "step.sh"), os.path.join(folder, "outputs")
    with open(script, "w", encoding="utf-8") as file:
        file.write(filled(step["run"]))
    open(outputs, "w", encoding="utf-8").close()
    environment = {name: filled(value) for name, value in step["env"].items()}
    ran = subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script],
        env={**os.environ, **environment, "GITHUB_OUTPUT": outputs},
        check=False,
    )
    with open(outputs, encoding="utf-8") as file:
        print(ran.returncode, file.read().strip())
