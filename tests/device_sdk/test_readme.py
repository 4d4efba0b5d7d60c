"""The README's lines for a running stack work as they are pasted: in one shell, in their order."""

import json
import os
import re
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from conftest import MAX_WAIT_SECONDS, ROOT, Stack, until


def blocks():
    """The shell blocks of the README that talk to a stack on this machine."""
    found = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [block for block in found if "curl " in block]


def is_connected(stack, thing):
    try:
        with urllib.request.urlopen(f"{stack.environment['AWS_ENDPOINT_URL']}/connections/{thing}", timeout=MAX_WAIT_SECONDS) as response:
            return json.load(response)["connected"]
    except urllib.error.HTTPError:
        return False


def test_lines_of_the_readme_work_as_pasted(tmp_path):
    stack = Stack(tmp_path)
    device = None
    try:
        [started] = re.findall(r"cargo run --bin device -- ([^#\n]*)", (ROOT / "README.md").read_text(encoding="utf-8"))
        program = Path(os.environ["FLAGHOIST_BIN"]) / "device"
        words = [program, "--port", str(stack.ports["mqtt"]), *started.split()]
        device = subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL)
        # A refused request ends the shell, which a pasted line does not.
        script = 'set -euo pipefail\ncurl() { command curl --fail-with-body "$@"; }\n' + "".join(blocks())
        for used, port in (("3000", "http"), ("4566", "endpoint")):
            script = script.replace(f"127.0.0.1:{used}", f"127.0.0.1:{stack.ports[port]}")
        assert len(blocks()) >= 6 and "3000" not in script
        # The first command is answered when the device has carried it out: it has to be connected by then.
        until(lambda: is_connected(stack, "pump-7"), bool)
        run = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=MAX_WAIT_SECONDS, check=False)
        assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"
        executions = stack.http("GET", "/things/pump-7/executions")[1]["executions"]
        for name in ("reboot", "valve.open", "light"):
            [execution] = [execution for execution in executions if execution["name"] == name]
            path = f"/commands/{execution['commandId']}/executions/pump-7"
            until(lambda path=path: stack.http("GET", path)[1]["status"], lambda status: status == "SUCCEEDED")
        # pump-7 is excluded from the fleet's command, and pump-8 is away.
        [canceled] = [e for e in stack.http("GET", "/things/pump-8/executions")[1]["executions"] if e["name"] == "valve.close"]
        assert canceled["status"] == "CANCELED"
    finally:
        if device:
            device.terminate()
            device.wait(timeout=MAX_WAIT_SECONDS)
        stack.stop()
