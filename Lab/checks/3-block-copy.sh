# shellcheck shell=sh disable=SC2154 # variables of Lab/inside
# Our block frontend in a guest copies a disk from our backend in dom0, which is killed in mid-copy and
# started again.
# expect: dom0: backend killed in mid-copy and started again
# expect: guest: our frontend copies the disk across the restart
# expect: dom0: the guest's copy is the image

dom0() {
    guest_start || return
    check "dom0: backend killed in mid-copy and started again" 60 restart_backend
    guest_finish 90 || show /tmp/backend.log 10
    check "dom0: the guest's copy is the image" 10 disk_compare_copy
}

restart_backend() {
    disk_attach || return
    disk_serve
    wait_for 40 backend_has_read 4194304 || return
    kill -STOP "$disk_backend"
    bytes_read=$(backend_bytes_read)
    kill -9 "$disk_backend"
    disk_serve
    echo "killed after $bytes_read bytes of $((disk_mebibytes * 1048576))"
    # Had it read all of them, the copy might have been over.
    [ "$bytes_read" -lt $((disk_mebibytes * 1048576)) ]
}

backend_has_read() {
    [ "$(backend_bytes_read)" -ge "$1" ]
}

# What the backend has read from its image and elsewhere, as the kernel counts it.
backend_bytes_read() {
    sed -n 's/^rchar: //p' "/proc/$disk_backend/io"
}

guest() {
    check "guest: our frontend copies the disk across the restart" 80 copy_disk
}

copy_disk() {
    disk_await || return
    # Slow enough that the backend is still at it when it is killed.
    xen-block copy --device "$disk_device" --rate 8 --output /tmp/copy >/tmp/copy.log || {
        tail -n 5 /tmp/copy.log
        return 1
    }
    tell copy-sha256 "$(disk_digest 0 "$disk_mebibytes" /tmp/copy)"
    grep 'copied in' /tmp/copy.log
    ! grep -q 'copied in 1 epoch' /tmp/copy.log
}
