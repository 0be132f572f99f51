# shellcheck shell=sh
# The store client against the real C xenstored.
# expect: dom0: client of xenstored over its socket
# expect: guest: client of xenstored over /dev/xen/xenbus

dom0() {
    check "dom0: client of xenstored over its socket" 90 xen-lab-agent store
    guest_start && guest_finish 120
}

guest() {
    check "guest: client of xenstored over /dev/xen/xenbus" 90 xen-lab-agent store
}
