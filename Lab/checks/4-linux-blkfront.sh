# shellcheck shell=sh disable=SC2154 # variables of Lab/inside
# Linux's own xen-blkfront in a guest, on our backend in dom0.
# expect: dom0: backend starts for Linux's xen-blkfront
# expect: guest: Linux shows the disk as /dev/xvda
# expect: guest: Linux reads the whole disk
# expect: guest: Linux writes a pattern and reads it back
# expect: dom0: the image holds the pattern and is otherwise as before

# Where the pattern goes, in mebibytes.
first=8 count=4 after=12
rest=$((disk_mebibytes - after))

dom0() {
    guest_start || return
    check "dom0: backend starts for Linux's xen-blkfront" 20 start_backend
    guest_finish 120 || show /tmp/backend.log 10
    check "dom0: the image holds the pattern and is otherwise as before" 10 inspect_image
}

start_backend() {
    disk_attach || return
    cp "$disk_image" /tmp/original.img
    xenstore-write "/local/domain/$guest/data/lab/disk-sha256" \
        "$(disk_digest 0 "$disk_mebibytes" "$disk_image")"
    disk_serve
    sleep 0.5
    kill -0 "$disk_backend" || { cat /tmp/backend.log; return 1; }
    echo "$disk_mebibytes MiB served to domain $guest"
}

inspect_image() {
    pattern=$(guest_value pattern-sha256) || { echo "the guest wrote no pattern"; return 1; }
    [ "$(digest_outside "$disk_image")" = "$(digest_outside /tmp/original.img)" ] || {
        echo "bytes outside the pattern have changed"
        return 1
    }
    same_digest "$(disk_digest "$first" "$count" "$disk_image")" "$pattern"
}

# Of what lies before and after the pattern.
digest_outside() {
    disk_digest 0 "$first" "$1"
    disk_digest "$after" "$rest" "$1"
}

guest() {
    check "guest: Linux shows the disk as /dev/xvda" 60 find_disk
    check "guest: Linux reads the whole disk" 40 read_disk
    check "guest: Linux writes a pattern and reads it back" 40 write_pattern
}

find_disk() {
    disk_await || return
    insmod /modules/xen-blkfront.ko
    wait_for 30 test -b /dev/xvda || return
    echo "$(cat /sys/block/xvda/size) sectors; $(dmesg | sed -n 's/.*blkfront: xvda: //p')"
}

read_disk() {
    expected=$(xenstore-read data/lab/disk-sha256)
    found=$(disk_digest 0 $((disk_mebibytes + 1)) /dev/xvda)
    same_digest "$found" "$expected"
}

write_pattern() {
    dd if=/dev/urandom of=/tmp/pattern bs=1M count="$count" 2>/dev/null
    dd if=/tmp/pattern of=/dev/xvda bs=1M seek="$first" conv=fsync 2>/dev/null || return
    # Read it from the device, not from memory.
    echo 3 >/proc/sys/vm/drop_caches
    expected=$(disk_digest 0 "$count" /tmp/pattern)
    found=$(disk_digest "$first" "$count" /dev/xvda)
    same_digest "$found" "$expected" && tell pattern-sha256 "$expected"
}
