# shellcheck shell=bash
# Xen and a dom0 kernel from Debian's packages: downloaded and unpacked, never installed.
# Afterwards $xen_image (a multiboot ELF), $kernel_image and $kernel_modules (a folder) are there.

fetch_packages() {
    mkdir -p "$cache"
    # One run at a time; the lock goes with this process.
    exec 9>"$cache/lock"
    flock 9
    # Each is renamed into place when whole, so an interrupted run leaves nothing that looks whole.
    [ -d "$cache/xen" ] || fetch_package xen xen-hypervisor-4.17-amd64
    [ -d "$cache/linux" ] || fetch_package linux "$(kernel_package)"
    exec 9>&-
    xen_image=$work/xen
    gunzip -c "$cache/xen/boot/xen-4.17-amd64.gz" >"$xen_image"
    kernel_image=$(only_file "$cache"/linux/boot/vmlinuz-*)
    kernel_modules=$(only_file "$cache"/linux/lib/modules/*)/kernel
}

# The generic kernel of the day: what linux-image-amd64 depends on.
kernel_package() {
    know_package linux-image-amd64
    apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1
}

# fetch_package FOLDER PACKAGE: unpacks PACKAGE into $cache/FOLDER.
fetch_package() {
    local partial=$cache/$1.partial log=$work/apt.log
    rm -rf "$partial"
    mkdir -p "$partial/unpacked"
    know_package "$2"
    say "downloading $2"
    # apt checks the signed hash of what it downloads.
    (cd "$partial" && apt-get download -qq "$2" >"$log" 2>&1) ||
        { refresh_lists && (cd "$partial" && apt-get download -qq "$2" >"$log" 2>&1); } ||
        { cat "$log" >&2 && fail "could not download $2"; }
    dpkg -x "$(only_file "$partial"/*.deb)" "$partial/unpacked"
    mv "$partial/unpacked" "$cache/$1"
    rm -rf "$partial"
}

know_package() {
    apt-cache show "$1" >/dev/null 2>&1 || refresh_lists
}

refresh_lists() {
    local as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    say "refreshing apt's package lists"
    "${as_root[@]}" apt-get update -qq >&2
}

# Prints the one existing file among its arguments.
only_file() {
    { [ $# -eq 1 ] && [ -e "$1" ]; } ||
        fail "expected one file but found $#: $*; remove .cache/lab and run again"
    echo "$1"
}
