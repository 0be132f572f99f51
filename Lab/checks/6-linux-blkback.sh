# shellcheck shell=sh disable=SC2154 # variables of Lab/inside
# Our block frontend in a guest on Linux's own xen-blkback in dom0. Comes last: from then on the kernel serves every disk
# of the store itself.
# expect: dom0: Linux's xen-blkback offers a disk
# expect: guest: our frontend copies the disk of xen-blkback
# expect: guest: our frontend writes another image onto it
# expect: dom0: the guest's copy is the first image, and the disk is now the other

dom0() {
    guest_start || return
    check "dom0: Linux's xen-blkback offers a disk" 30 start_blkback
    guest_finish 120
    check "dom0: the guest's copy is the first image, and the disk is now the other" 20 compare_disk
    losetup -d /dev/loop0
}

# The image becomes a loop device, and the toolstack's nodes name it.
start_blkback() {
    insmod /modules/loop.ko
    insmod /modules/xen-blkback.ko
    disk_attach || return
    disk_digest 0 "$disk_mebibytes" "$disk_image" >/tmp/first-sha256
    losetup /dev/loop0 "$disk_image" || return
    back="/local/domain/0/backend/vbd/$guest/$disk_device"
    # It wants a name first, and opens the device when it sees the numbers.
    xenstore-write "$back/dev" xvda "$back/physical-device" "$(loop_numbers)"
    wait_for 20 blkback_waits || { xenstore-ls "$back"; return 1; }
    echo "state $(xenstore-read "$back/state"), $(cat /sys/bus/xen-backend/devices/vbd-*/mode)"
}

# MAJOR:MINOR of /dev/loop0, in hexadecimal as the node wants it.
loop_numbers() {
    sed 's/:/ /' /sys/block/loop0/dev | { read -r major minor && printf '%x:%x' "$major" "$minor"; }
}

# InitWait, or further if the frontend was quick; and the device is open.
blkback_waits() {
    [ "$(xenstore-read "$back/state")" -ge 2 ] && ls /sys/bus/xen-backend/devices/vbd-*/mode
}

compare_disk() {
    copied=$(guest_value copy-sha256) || { echo "the guest has no copy"; return 1; }
    same_digest "$copied" "$(cat /tmp/first-sha256)" || return
    written=$(guest_value written-sha256) || { echo "the guest wrote nothing"; return 1; }
    same_digest "$(disk_digest 0 "$disk_mebibytes" "$disk_image")" "$written"
}

guest() {
    check "guest: our frontend copies the disk of xen-blkback" 60 copy_out
    check "guest: our frontend writes another image onto it" 60 copy_in
}

copy_out() {
    disk_await || return
    xen-block copy --device "$disk_device" --output /tmp/copy >/tmp/copy.log || {
        tail -n 5 /tmp/copy.log
        return 1
    }
    tell copy-sha256 "$(disk_digest 0 "$disk_mebibytes" /tmp/copy)"
    grep 'copied in 1 epoch' /tmp/copy.log
}

copy_in() {
    dd if=/dev/urandom of=/tmp/other bs=1M count="$disk_mebibytes" 2>/dev/null
    xen-block copy --device "$disk_device" --input /tmp/other || return
    tell written-sha256 "$(disk_digest 0 "$disk_mebibytes" /tmp/other)"
}
