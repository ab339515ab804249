"""Long runs of the tests that kill and cut the power."""

import os
import subprocess
import sys
import time

from measuring.servers import ROOT


def faults(table, options):
    """The crash and power-cut tests, much longer than in CI."""
    environment = {**os.environ, "CLAVIGER_CRASH_ROUNDS": "400", "CLAVIGER_POWER_ROUNDS": "200",
                   "CLAVIGER_KEYSTORE_ROUNDS": "1000"}
    for test in ("crash", "power", "at_rest_kills"):
        began = time.monotonic()
        answer = subprocess.run(["cargo", "test", "--workspace", "--test", "it", "--", f"{test}::", "--nocapture"],
                                cwd=ROOT, env=environment, capture_output=True, text=True)
        told = ("rounds", "acknowledged", "Loss", "synchronous")
        said = [line for line in answer.stdout.splitlines()
                if not line.startswith("test ") and any(word in line for word in told)]
        table.target(f"{test}: lost of what was acknowledged", float(answer.returncode != 0), most=0,
                     detail=f"{'; '.join(said)}; {time.monotonic() - began:.0f} s")
        if answer.returncode != 0:
            sys.stderr.write(answer.stdout[-5000:])
    proof = subprocess.run(["cargo", "test", "--workspace", "--test", "it", "--", "powerloss::"],
                           cwd=ROOT, capture_output=True, text=True)
    ran = [line for line in proof.stdout.splitlines() if line.startswith("test powerloss::") and line.endswith(" ok")]
    table.target("the store's own power cuts: tests that failed", float(proof.returncode != 0 or not ran), most=0,
                 detail="; ".join(line.removeprefix("test powerloss::").removesuffix(" ... ok") for line in ran))
