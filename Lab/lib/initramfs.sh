# shellcheck shell=bash
# The file systems in memory that dom0 and the guests run from: busybox, Xen's own tools, the project's
# programs, Lab/inside and Lab/checks. Both roles boot the same one; dom0's carries the guest's beside it.

xen_tools=/usr/lib/xen-4.17/bin
# With xenstored come libxengnttab and libxenevtchn, which the project's programs load at run time.
inside_programs=(
    "$xen_tools"/{xenstored,oxenstored,xen-init-dom0,xenconsoled,xl,libxl-save-helper}
    /usr/bin/xenstore-{chmod,exists,list,ls,read,rm,watch,write}
)
inside_modules=(
    xen/{xen-privcmd,xen-evtchn,xen-gntdev,xen-gntalloc,xenfs/xenfs}.ko
    block/{xen-blkfront,xen-blkback/xen-blkback,loop}.ko
)

# Afterwards $initramfs is there.
make_initramfs() {
    local root=$work/root
    initramfs=$work/initramfs
    mkdir -p "$root"/{bin,lib,etc,modules,checks}
    cp /bin/busybox "$root/bin/"
    ln -s busybox "$root/bin/sh"
    cp "$lab"/inside/* "$root/lib/"
    ln -s lib/init "$root/init"
    cp "${checks[@]}" "$root/checks/"
    local module program
    for module in "${inside_modules[@]}"; do cp "$kernel_modules/drivers/$module" "$root/modules/"; done
    for program in "${inside_programs[@]}"; do add_program "$root" "$program"; done
    for program in "${programs[@]}"; do
        install -s -D -t "$root/bin" "$programs_folder/$program"
        add_libraries "$root" "$programs_folder/$program"
    done
    pack "$root" >"$work/guest"
    mkdir -p "$work/nested/guest"
    cp "$kernel_image" "$work/nested/guest/vmlinuz"
    gzip -1 <"$work/guest" >"$work/nested/guest/initramfs"
    { cat "$work/guest" && pack "$work/nested"; } >"$initramfs"
}

# add_program ROOT FILE: FILE at its own path, with the shared libraries that it needs.
add_program() {
    install -D "$2" "$1$2"
    add_libraries "$1" "$2"
}

add_libraries() {
    local library
    # ldd prints 'NAME => FILE (ADDRESS)', and 'FILE (ADDRESS)' for the loader itself.
    while read -r library; do
        [ -e "$1$library" ] || install -D "$library" "$1$library"
    done < <(ldd "$2" | grep -o '/[^ ]*')
}

pack() {
    (cd "$1" && find . | cpio --quiet -o -H newc -R 0:0)
}
