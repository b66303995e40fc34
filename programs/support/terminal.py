#!/usr/bin/env python3
"""Runs `uringaio top` on a terminal of its own: what it shows fits and follows the terminal's size, keys do what they say, and
the terminal is left as it was, by `q` and by Ctrl-C."""
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios

LEAVES = "\x1b[?7h\x1b[?25h\x1b[?1049l"


class Screen:
    """A command on a terminal, and what it wrote since the last table that was looked at."""

    def __init__(self, command, columns, rows):
        self.ours, self.its = os.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self.its)
        self.text = ""
        self.process = subprocess.Popen(
            command, stdin=self.its, stdout=self.its, stderr=self.its, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), env={**os.environ, "TERM": "xterm"})

    def resize(self, columns, rows):
        """Tells the size; the kernel sends SIGWINCH."""
        fcntl.ioctl(self.its, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys):
        """Types."""
        os.write(self.ours, keys)

    def read(self):
        """Takes what has been written, if it comes soon."""
        if select.select([self.ours], [], [], 0.1)[0]:
            self.text += os.read(self.ours, 65536).decode("utf-8", "ignore")
            return True
        return False

    def await_table(self, wanted, columns, rows):
        """Reads until a table has `wanted`, and sees that it fits."""
        while True:
            self.read()
            *tables, last = self.text.split("\x1b[H")
            for table in tables[1:]:
                lines = [re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]", "", line).rstrip("\r") for line in table.split("\n")]
                if any(re.search(wanted, line) for line in lines):
                    assert len(lines) <= rows, lines
                    assert all(len(line) <= columns for line in lines), lines
                    self.text = "\x1b[H" + last
                    return

    def stop_and_continue(self):
        """Ctrl-Z: as long as the command is stopped, the terminal is as it was."""
        self.press(b"\x1a")
        while not (changed := os.waitpid(self.process.pid, os.WUNTRACED | os.WNOHANG))[0]:
            self.read()
        assert os.WIFSTOPPED(changed[1]), changed
        assert termios.tcgetattr(self.its) == self.before
        while self.read():
            pass
        assert self.text.endswith(LEAVES), repr(self.text[-80:])
        self.text = ""
        os.kill(self.process.pid, signal.SIGCONT)

    def end(self, keys):
        """Types what ends the command: it ends well, and the terminal is as it was."""
        assert termios.tcgetattr(self.its) != self.before
        self.press(keys)
        while self.process.poll() is None or self.read():
            self.read()
        assert self.process.returncode == 0, self.process.returncode
        assert self.text.endswith(LEAVES), repr(self.text[-80:])
        assert termios.tcgetattr(self.its) == self.before


command = sys.argv[1:]
screen = Screen(command, 60, 12)
screen.await_table("^ *[0-9]+ fio ", 60, 12)
screen.resize(110, 30)
screen.await_table("PROGRAM +ENGINE", 110, 30)
screen.press(b"ss")
screen.await_table("sorted by latency", 110, 30)
screen.stop_and_continue()
screen.await_table("^ *PID", 110, 30)
screen.end(b"q")
screen = Screen(command, 80, 24)
screen.await_table("^ *PID", 80, 24)
screen.end(b"\x03")
