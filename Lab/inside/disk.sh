# shellcheck shell=sh disable=SC2154,SC2034 # shared with dom0.sh and Lab/checks
# A disk for the checks that need one: an image in dom0, served by our backend to the guest as /dev/xvda.

disk_device=51712
disk_image=/tmp/disk.img
disk_mebibytes=32

# In dom0, once there is a guest: an image of random bytes and the two directories in the store.
disk_attach() {
    dd if=/dev/urandom of="$disk_image" bs=1M count="$disk_mebibytes" 2>/dev/null
    xen-block attach --frontend-domain "$guest" --device "$disk_device" --backend-domain 0
}

# Starts the backend; $disk_backend is its process.
disk_serve() {
    xen-block serve --image "$disk_image" --frontend-domain "$guest" --device "$disk_device" \
        >>/tmp/backend.log 2>&1 &
    disk_backend=$!
}

# In the guest: waits until dom0 has attached the disk.
disk_await() {
    wait_for 60 xenstore-exists "device/vbd/$disk_device/backend"
}

# disk_digest FIRST COUNT FILE: the sha256 of COUNT mebibytes from FIRST on.
disk_digest() {
    dd if="$3" bs=1M skip="$1" count="$2" 2>/dev/null | sha256sum | cut -c 1-64
}

# In dom0: what the guest told of its copy, against the image.
disk_compare_copy() {
    copied=$(guest_value copy-sha256) || { echo "the guest has no copy"; return 1; }
    same_digest "$copied" "$(disk_digest 0 "$disk_mebibytes" "$disk_image")"
}

# same_digest FOUND EXPECTED
same_digest() {
    if [ "$1" = "$2" ]; then
        echo "sha256 $1"
    else
        echo "sha256 $1, but expected $2"
        return 1
    fi
}
