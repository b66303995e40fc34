#!/bin/bash
# LVM2 on a loop device: it closes descriptors it does not know, locks its memory, and reads and writes labels by libaio.
# No mapping is activated, so that no device-mapper is needed in the kernel.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
requires pvcreate vgcreate lvcreate losetup

export LVM_SUPPRESS_FD_WARNINGS=1
DEVICES=()
leave() { local device; for device in "${DEVICES[@]}"; do losetup --detach "$device" 2> /dev/null; done; }

attach() {
    truncate -s 64M "$SCRATCH/disk"
    DEVICE=$(losetup --find --show "$SCRATCH/disk" 2> "$SCRATCH/why") && DEVICES+=("$DEVICE")
}

lvm_config() {
    mkdir -p "$WORK/lvm"
    export LVM_SYSTEM_DIR=$WORK/lvm
    cat > "$WORK/lvm/lvm.conf" << END
devices { use_devicesfile = 0  filter = [ "a|^$DEVICE\$|", "r|.*|" ] }
global { use_lvmpolld = 0  locking_dir = "$WORK/lvm" }
activation { udev_sync = 0  udev_rules = 0  monitoring = 0 }
backup { backup = 0  archive = 0 }
END
}

# LVM closes the descriptor that the dynamic linker writes its record to, and a late line of the record could then end up
# in a device: the bindings are taken from a command that opens none, all of them at its start.
bindings_of_lvm() { LD_BIND_NOW=1 ours lvm version > /dev/null; }
without_record() { local PROOF=(); ours "$@"; }

volumes() {
    [ -n "$DEVICE" ] || skip "no loop device: $(cat "$SCRATCH/why")"
    local group=uringaio_$$
    lvm_config
    bindings_of_lvm || return 1
    without_record pvcreate --yes "$DEVICE" || return 1
    without_record vgcreate "$group" "$DEVICE" || return 1
    without_record lvcreate --driverloaded n --activate n --zero n --wipesignatures n --extents 4 --name one "$group" || return 1
    without_record lvcreate --driverloaded n --activate n --zero n --wipesignatures n --extents 3 --name two "$group" || return 1
    without_record lvremove --driverloaded n --yes "$group/one" || return 1
    without_record pvs --noheadings -o pv_name,vg_name | tee output
    grep -Eq "$DEVICE +$group" output || return 1
    # The original reads what ours wrote, and the other way round.
    [ "$(lvs --driverloaded n --noheadings -o lv_name "$group" | tr -d ' ')" = two ] || return 1
    lvrename --driverloaded n "$group" two three || return 1
    [ "$(without_record lvs --driverloaded n --noheadings -o lv_name "$group" | tr -d ' ')" = three ] || return 1
    without_record pvck "$DEVICE" || return 1
    without_record vgremove --driverloaded n --yes "$group" || return 1
    without_record pvremove "$DEVICE" || return 1
    [ -z "$(pvs --noheadings)" ]
}

DEVICE=
[ -n "$MISSING" ] || attach
[ -n "$DEVICE" ] || [ -n "$MISSING" ] || [ -s "$SCRATCH/why" ] || echo "cannot attach" > "$SCRATCH/why"

PROOF=(io_setup io_submit io_getevents io_destroy)
check "volumes made, listed, removed on a loop device" "preload drop-in" volumes

PROOF=()
seen() {
    [ -n "$DEVICE" ] || skip "no loop device: $(cat "$SCRATCH/why")"
    lvm_config
    traced pvcreate --yes "$DEVICE" || return 1
    traced pvremove "$DEVICE"
}
check "system calls seen" "preload drop-in" seen
