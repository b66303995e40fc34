"""The devices that the cells work on: made when first asked for, undone when their cells have run, or at an interruption.

bench/run starts the benchmark in a mount namespace of its own if it may: whatever is mounted there ends with the benchmark,
and the loop devices with their mounts, even if it is killed. A zram device and the folder of the run remain then: the next
run removes them.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time

from cells import MIB

DEVICE_MIB = 256  # the file on each device but the disk
IMAGE_MIB = 1024  # the loop device below XFS and btrfs, of which what is written takes memory
FREE_MIB = 2048  # the memory that must be free for that
FUSE_THREADS = 4
BUSY_S = 10  # programs that were killed may hold a device or a mount for a moment
FOLDER = "uringaio-bench"  # with the process's number behind it
SYSTEM_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"

# Key: title.
PLACES = {
    "disk": "the disk",
    "xfs": "XFS on a loop device",
    "btrfs": "btrfs on a loop device",
    "overlay": "overlayfs on the disk",
    "fuse": "FUSE",
    "fuse-strict": "FUSE, attributes not kept",
    "zram-ext4": "ext4 on zram",
    "zram": "zram, the block device",
    "tmpfs": "tmpfs",
}


class Unavailable(Exception):
    """A device that cannot be had here, with the reason for people."""


def need_root():
    if os.geteuid() != 0:
        raise Unavailable("needs root")


def need_tool(name):
    if not shutil.which(name, path=SYSTEM_PATH):
        raise Unavailable(f"{name} is not installed")


def system(*command):
    need_tool(command[0])
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                            env={**os.environ, "PATH": SYSTEM_PATH}, start_new_session=True)
    if result.returncode != 0:
        lines = (result.stderr or result.stdout).strip().splitlines() or [f"status {result.returncode}"]
        raise Unavailable(f"{command[0]}: {lines[-1]}")
    return result.stdout


def patiently(function, *arguments):
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            return function(*arguments)
        except (OSError, Unavailable):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def read_text(path):
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def write_text(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def available_memory_mib():
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) // 1024
    return 0


def fill(path, mebibytes):
    """Random bytes: they neither compress nor are they alike, which btrfs, zram and many a disk would make use of."""
    with open(path, "r+b" if os.path.exists(path) else "wb") as file:
        for _ in range(mebibytes):
            file.write(os.urandom(MIB))
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def uninterrupted():
    """Making a thing and noting how to undo it, or undoing it: ^C comes before or after, not between."""
    old = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)


class Undo(contextlib.ExitStack):
    """The steps back, the last first. A step that fails says so and the others follow."""

    def later(self, what, function, *arguments):
        def step():
            try:
                function(*arguments)
            except (OSError, Unavailable, subprocess.SubprocessError) as error:
                print(f"not undone: {what}: {error}")

        self.callback(step)

    def __exit__(self, *details):
        with uninterrupted():
            return super().__exit__(*details)

    def close(self):
        self.__exit__(None, None, None)


class Places:
    """Makes the devices, one at a time beside the disk, and knows the file of each."""

    def __init__(self, directory, state, disk_mib, programs, progress):
        self.directory, self.state, self.disk_mib = directory, state, disk_mib
        self.programs, self.progress = programs, progress
        self.undo, self.scratch = {}, None
        self.files, self.refused = {}, {}
        self.all = Undo()
        self.left_over = os.path.join(state, "zram-left-over")
        self.remove_left_over_zram()
        self.remove_left_over_folders()

    def path(self, place):
        """The file or block device of a place. Raises Unavailable, again with the same reason if asked again."""
        if place in self.refused:
            raise Unavailable(self.refused[place])
        if place not in self.files:
            self.progress.note(f"making {PLACES[place]}")
            self.undo[place] = Undo()
            try:
                self.files[place] = self.make(place, self.undo[place])
            except (Unavailable, OSError) as error:
                self.refused[place] = str(error)
                self.undo.pop(place).close()
                raise Unavailable(str(error)) from error
        return self.files[place]

    def size(self, place):
        return (self.disk_mib if place == "disk" else DEVICE_MIB) * MIB

    def done_with(self, place):
        if place in self.undo:
            self.progress.note(f"undoing {PLACES[place]}")
            self.files.pop(place, None)
            self.undo.pop(place).close()

    def close(self):
        for place in list(self.undo):
            self.done_with(place)
        self.all.close()

    # How each is made.

    def make(self, place, undo):
        if place == "disk":
            path = os.path.join(self.folder(), "file")
            fill(path, self.disk_mib)
            return path
        if place == "tmpfs":
            return self.in_memory(undo)
        need_root()
        if place in ("xfs", "btrfs"):
            return self.on_loop(place, undo)
        if place == "overlay":
            return self.on_overlay(undo)
        if place in ("fuse", "fuse-strict"):
            return self.on_fuse(0 if place == "fuse-strict" else 1, undo)
        device = self.zram(undo)
        if place == "zram":
            fill(device, DEVICE_MIB)
            # What a block device has in the page cache goes when nobody has it open any more.
            handle = os.open(device, os.O_RDONLY)
            undo.later(device, os.close, handle)
            return device
        system("mkfs.ext4", "-q", "-F", device)
        return self.mounted(undo, "zram-ext4", device)

    def folder(self):
        """A folder of this run below the directory of the benchmark."""
        if not self.scratch:
            self.scratch = os.path.join(self.directory, f"{FOLDER}.{os.getpid()}")
            os.makedirs(self.scratch)
            self.all.later(self.scratch, shutil.rmtree, self.scratch)
        return self.scratch

    def empty_folder(self, undo, name, remove=os.rmdir):
        path = os.path.join(self.folder(), name)
        os.mkdir(path)
        undo.later(path, remove, path)
        return path

    def mounted(self, undo, what, source, *options):
        """Mounts it in a folder of its own and writes the file there."""
        point = self.mount(undo, what, source, *options)
        path = os.path.join(point, "file")
        fill(path, DEVICE_MIB)
        return path

    def mount(self, undo, what, source, *options):
        point = self.empty_folder(undo, what)
        with uninterrupted():
            system("mount", *options, source, point)
            undo.later(f"{what} mounted on {point}", patiently, system, "umount", point)
        return point

    def memory_folder(self, undo):
        """A tmpfs: an own one for root, which ends with the run; /dev/shm for others."""
        if os.geteuid() == 0:
            if available_memory_mib() < FREE_MIB:
                raise Unavailable(f"needs {FREE_MIB} MiB of free memory")
            return self.mount(undo, "tmpfs", FOLDER, "-t", "tmpfs", "-o", f"size={IMAGE_MIB + 64}m")
        if not os.path.isdir("/dev/shm"):
            raise Unavailable("no tmpfs at /dev/shm")
        return "/dev/shm"

    def in_memory(self, undo):
        path = os.path.join(self.memory_folder(undo), f"{FOLDER}.{os.getpid()}")
        undo.later(path, os.unlink, path)
        fill(path, DEVICE_MIB)
        return path

    def on_loop(self, kind, undo):
        """The image lies in memory, so that the disk's moods do not show. The loop device ends with the mount."""
        need_tool(f"mkfs.{kind}")
        image = os.path.join(self.memory_folder(undo), f"{kind}.image")
        with open(image, "wb") as file:
            file.truncate(IMAGE_MIB * MIB)
        undo.later(image, os.unlink, image)
        system(f"mkfs.{kind}", "-q", "-f", image)
        return self.mounted(undo, kind, image, "-t", kind, "-o", "loop")

    def on_overlay(self, undo):
        lower, upper, work = (self.empty_folder(undo, name, shutil.rmtree) for name in ("lower", "upper", "work"))
        return self.mounted(undo, "overlay", FOLDER, "-t", "overlay", "-o",
                            f"lowerdir={lower},upperdir={upper},workdir={work}")

    def on_fuse(self, valid_s, undo):
        program = os.path.join(self.programs, "fuse")
        if not os.path.exists(program):
            raise Unavailable("its server could not be built")
        backing = self.in_memory(undo)
        point = self.empty_folder(undo, f"fuse-{valid_s}")
        # A session of its own: ^C is for the benchmark, which stops the server when nothing uses it. The server also ends
        # with the benchmark.
        server = subprocess.Popen([program, os.path.dirname(backing), point, str(FUSE_THREADS), str(valid_s)], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        undo.later("FUSE server", self.stop, server)
        if server.stdout.readline() != b"ready\n":
            raise Unavailable((server.stderr.read().decode(errors="replace").strip() or "the server ended").splitlines()[-1])
        return os.path.join(point, os.path.basename(backing))

    @staticmethod
    def stop(server):
        server.terminate()
        server.wait(timeout=10)

    # zram devices.

    def zram(self, undo):
        control = "/sys/class/zram-control"
        if not os.path.isdir(control) and shutil.which("modprobe", path=SYSTEM_PATH):
            # With a parameter that adds no device: one is added here.
            subprocess.run(["modprobe", "zram", "num_devices=0"], capture_output=True, check=False,
                           env={**os.environ, "PATH": SYSTEM_PATH})
        if not os.path.isdir(control):
            raise Unavailable("this kernel has no zram")
        if available_memory_mib() < FREE_MIB:
            raise Unavailable(f"needs {FREE_MIB} MiB of free memory")
        with uninterrupted():
            number = read_text(f"{control}/hot_add")
            with open(self.left_over, "a", encoding="ascii") as file:
                file.write(f"{read_text('/proc/sys/kernel/random/boot_id')} {number}\n")
            undo.later(f"/dev/zram{number}", patiently, self.remove_zram, number)
        write_text(f"/sys/block/zram{number}/disksize", f"{2 * DEVICE_MIB}M")
        device = f"/dev/zram{number}"
        if not os.path.exists(device):
            raise Unavailable(f"no {device}")
        return device

    def remove_zram(self, number):
        write_text("/sys/class/zram-control/hot_remove", number)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.left_over)

    # What a run that was killed has left.

    def remove_left_over_zram(self):
        """Its zram device, if the machine has not been started anew since."""
        if not os.path.exists(self.left_over) or os.geteuid() != 0:
            return
        boot = read_text("/proc/sys/kernel/random/boot_id")
        for line in read_text(self.left_over).splitlines():
            if line.split()[0] == boot and os.path.exists(f"/sys/block/zram{line.split()[1]}"):
                patiently(self.remove_zram, line.split()[1])
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.left_over)

    def remove_left_over_folders(self):
        """Its folder, and whatever is still mounted there because it had no mount namespace."""
        for name in os.listdir(self.directory):
            folder = os.path.join(self.directory, name)
            number = name.removeprefix(f"{FOLDER}.")
            if number == name or not number.isdecimal() or os.path.exists(f"/proc/{number}"):
                continue
            with open("/proc/mounts", encoding="utf-8") as file:
                mounted = [line.split()[1] for line in file if line.split()[1].startswith(folder + "/")]
            for point in reversed(mounted):
                system("umount", point)
            shutil.rmtree(folder)
