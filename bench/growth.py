"""What the library costs as work grows: in flight, contexts, threads, waiting lists, at rest, at load."""

import json
import os
import re
import statistics
import subprocess
import time

from runner import Failed, execute

DEPTHS = (1, 16, 256, 4096, 16384)
OWN_BYTES = {"posix": 168 + 8, "libaio": 64 + 8 + 8}  # of the measuring program itself, for each request in flight


class Growth:
    """Each method is one table; peer and ours take turns, the median of the rounds counts."""

    def __init__(self, library, programs, places, rounds, seconds, progress):
        self.environments = {"peer": {}, "ours": {"LD_PRELOAD": library}}
        self.programs, self.places, self.rounds, self.seconds, self.progress = programs, places, rounds, seconds, progress
        self.results = {}

    def both(self, name, arguments, seconds=0):
        """The medians of every figure that the program prints, for both sides."""
        runs = {"peer": [], "ours": []}
        for _ in range(self.rounds):
            for side, environment in self.environments.items():
                self.progress.note(f"{name} {' '.join(arguments[1:])}, {side}")
                program = os.path.join(self.programs, arguments[0])
                text, _ = execute([program, *arguments[1:]], environment, self.programs, seconds)
                runs[side].append(json.loads(text))
        self.progress.clear()
        return {side: {key: statistics.median(run[key] for run in list_) for key in list_[0]} for side, list_ in runs.items()}

    def in_flight(self):
        path = self.places.path("disk")
        for face in ("posix", "libaio"):
            print(f"\n{face}: in flight, O_DIRECT 4 KiB reads, batches of at most 64")
            print(f"{'in flight':>12}{'peer /s':>12}{'ours /s':>12}{'peer µs/op':>12}{'ours µs/op':>12}{'to 256':>9}")
            rows = {}
            for depth in DEPTHS:
                tail = ["1"] if face == "libaio" else []
                batch = str(min(depth, 64))
                rows[depth] = self.both(f"growth/{face}", [face, path, str(self.seconds), str(depth), batch, *tail],
                                        self.seconds)
            for depth, row in rows.items():
                relative = row["ours"]["cpu"] / rows[256]["ours"]["cpu"]
                print(f"{depth:>12,}{row['peer']['rate']:>12,.0f}{row['ours']['rate']:>12,.0f}{row['peer']['cpu']:>12.2f}"
                      f"{row['ours']['cpu']:>12.2f}{relative:>9.2f}")
            each = {side: (rows[16384][side]["peak"] - rows[256][side]["peak"]) / (16384 - 256) - OWN_BYTES[face]
                    for side in ("peer", "ours")}
            ring = ", 64 of them in the completion ring, which the kernel keeps as well, unseen" if face == "libaio" else ""
            print(f"memory for one more request in flight: peer {each['peer']:.0f} bytes, ours {each['ours']:.0f} bytes{ring}")
            self.results[f"{face}-in-flight"] = {"rows": rows, "bytes": each}

    def contexts(self):
        print("\nlibaio: contexts; processor time to make one, time to destroy one, in µs")
        print(f"{'contexts':>12}{'CPU setup':>12}{'ours':>9}{'destroy':>12}{'ours':>9}{'bytes each':>12}{'ours':>9}")
        rows = {}
        for count in (100, 1000, 10000):
            try:
                row = rows[count] = self.both("growth/contexts", ["growth", "contexts", str(count)])
            except Failed as failure:
                print(f"{count:>12,}  not run: {failure}")
                continue
            print(f"{count:>12,}{row['peer']['setup']:>12.2f}{row['ours']['setup']:>9.2f}{row['peer']['destroy']:>12.2f}"
                  f"{row['ours']['destroy']:>9.2f}{row['peer']['bytes']:>12.0f}{row['ours']['bytes']:>9.0f}")
        self.results["contexts"] = rows

    def threads(self):
        path = self.places.path("disk")
        print("\nlibaio: threads that submit, each with 4 in flight on a context of its own")
        print(f"{'threads':>12}{'peer /s':>12}{'ours /s':>12}{'peer µs/op':>12}{'ours µs/op':>12}")
        rows = {}
        for count in (1, 2, 4, 8, 16):
            row = rows[count] = self.both("growth/threads", ["libaio", path, str(self.seconds), "4", "1", str(count)],
                                          self.seconds)
            print(f"{count:>12}{row['peer']['rate']:>12,.0f}{row['ours']['rate']:>12,.0f}{row['peer']['cpu']:>12.2f}"
                  f"{row['ours']['cpu']:>12.2f}")
        self.results["threads"] = rows

    def suspend(self):
        print("\nposix: aio_suspend on a list of which the last request has ended")
        print(f"{'list':>12}{'peer µs':>12}{'ours µs':>12}{'ours ns/entry':>15}")
        rows = {}
        for count in (16, 256, 4096):
            row = rows[count] = self.both("growth/suspend", ["growth", "suspend", str(count), "0.3"])
            peer, ours = (1e6 / row[side]["rate"] for side in ("peer", "ours"))
            print(f"{count:>12,}{peer:>12.2f}{ours:>12.2f}{ours * 1000 / count:>15.1f}")
        self.results["suspend"] = rows

    def switches(self, pid):
        total = 0
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/status", encoding="utf-8") as file:
                total += sum(int(number) for number in re.findall(r"ctxt_switches:\s+(\d+)", file.read()))
        return total

    def idle(self):
        path = self.places.path("disk")
        wakes = {}
        for side, environment in self.environments.items():
            self.progress.note(f"growth/idle, {side}")
            with subprocess.Popen([os.path.join(self.programs, "growth"), "idle", path], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, env={**os.environ, **environment}) as process:
                if process.stdout.readline() != b"ready\n":
                    raise Failed("it did not get ready")
                # glibc's threads end when they have been idle for a second; what counts is what goes on after that.
                time.sleep(2)
                before = self.switches(process.pid)
                time.sleep(5)
                wakes[side] = self.switches(process.pid) - before
                process.stdin.close()
        self.progress.clear()
        print(f"\nat rest after a request: peer {wakes['peer']}, ours {wakes['ours']} wake-ups in 5 s")
        self.results["idle"] = wakes

    def load(self):
        times = {"peer": [], "ours": []}
        for _ in range(200):
            for side, environment in self.environments.items():
                begun = time.perf_counter()
                subprocess.run(["/bin/true"], env={**os.environ, **environment}, check=True)
                times[side].append((time.perf_counter() - begun) * 1000)
        extra = statistics.median(times["ours"]) - statistics.median(times["peer"])
        print(f"loading the library: {extra:.2f} ms more than without, median of 200 starts")
        self.results["load_ms"] = extra

    def run(self, matches):
        failures = []
        for name in ("in_flight", "contexts", "threads", "suspend", "idle", "load"):
            if not matches(f"growth/{name}"):
                continue
            try:
                getattr(self, name)()
            except Failed as failure:
                self.progress.clear()
                failures.append((f"growth/{name}", str(failure)))
        return self.results, failures
