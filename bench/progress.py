"""A progress bar on the terminal, or nothing where standard error is not one."""

import shutil
import sys
import time


class Progress:
    def __init__(self):
        self.steps = self.done = 0
        self.shown = sys.stderr.isatty()
        self.started = time.monotonic()

    def note(self, text):
        if not self.shown:
            return
        share = min(self.done / self.steps, 1) if self.steps else 0
        bar = "━" * int(share * 24) + "─" * (24 - int(share * 24))
        left = (time.monotonic() - self.started) / share * (1 - share) if share else 0
        clock = f"{int(left) // 60}:{int(left) % 60:02d} left" if share else ""
        print(f"\r\033[K  {bar} {share * 100:3.0f} %  {clock:>11}  {text}"[:shutil.get_terminal_size().columns + 3],
              end="", file=sys.stderr, flush=True)

    def clear(self):
        if self.shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
