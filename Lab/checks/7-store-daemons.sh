# shellcheck shell=sh disable=SC2154 # variables of Lab/inside
# The store client against both of Debian's daemons and our own, each of which dies and comes back: over the socket in
# dom0, and over the kernel's device in a guest. A daemon that comes back knows nothing: each of its lives has a guest
# of its own.
# expect: dom0: client while the C xenstored dies and comes back
# expect: dom0: client of the C xenstored in its second life
# expect: guest: client of the C xenstored in its second life
# expect: dom0: client of oxenstored
# expect: guest: client of oxenstored
# expect: dom0: client while oxenstored dies and comes back
# expect: dom0: client of oxenstored in its second life
# expect: guest: client of oxenstored in its second life
# expect: dom0: client of our own server
# expect: guest: client of our own server
# expect: dom0: client while our own server dies and comes back
# expect: dom0: client of our own server in its second life
# expect: guest: client of our own server in its second life
# expect: dom0: client of our own server over the kernel's device
# expect: dom0: our own server lets go of a guest that dies

dom0() {
    store_kill
    store_start xenstored
    dom0_life "the C xenstored" xenstored
    store_kill
    store_start oxenstored
    dom0_and_guest "oxenstored"
    dom0_life "oxenstored" oxenstored
    store_kill
    store_start ours
    dom0_and_guest "our own server"
    dom0_life "our own server" ours
    check "dom0: client of our own server over the kernel's device" 90 \
        env XENSTORED_PATH=/dev/xen/xenbus xen-lab-agent store
    check "dom0: our own server lets go of a guest that dies" 60 dead_guest
    store_kill
    store_start xenstored
}

# dom0_life NAME STORE: the daemon that runs dies and comes back under the client, then serves all of its suite.
dom0_life() {
    check "dom0: client while $1 dies and comes back" 60 survive "$2"
    dom0_and_guest "$1 in its second life"
}

dom0_and_guest() {
    check "dom0: client of $1" 90 xen-lab-agent store
    guest_start && tell_guest "$1" && guest_finish 150
    xl destroy lab
}

tell_guest() {
    xenstore-write "/local/domain/$guest/data" ""
    xenstore-chmod "/local/domain/$guest/data" "n$guest"
    xenstore-write "/local/domain/$guest/data/lab/daemon" "$1"
    xenstore-chmod -r "/local/domain/$guest/data/lab" "n$guest"
}

# A guest is destroyed, and the toolstack does not say RELEASE: the store hears of it, and nobody keeps anything.
dead_guest() {
    guest_start || return 1
    xenstore-write "/tool/of$guest" x
    xenstore-chmod "/tool/of$guest" "n$guest"
    xenstore-watch -n 2 @releaseDomain >/tmp/released.log &
    watching=$!
    wait_for 10 grep -q releaseDomain /tmp/released.log || return 1
    xl destroy lab
    wait_for 20 not_running "$watching" || { echo "@releaseDomain was not told"; return 1; }
    ! xenstore-exists "/tool/of$guest" || { echo "its node is still there"; return 1; }
    wait_for 20 no_zombie || { xl list; return 1; }
}

not_running() { ! kill -0 "$1" 2>/dev/null; }

# A domain whose pages somebody still maps is listed without a name.
no_zombie() { [ "$(xl list | wc -l)" = 2 ]; }

# survive STORE: a client with a watch and readers goes on through its daemon's death, in a new epoch.
survive() {
    xen-lab-agent survive >/tmp/survive.log 2>&1 &
    surviving=$!
    wait_for 20 grep -q '^ready' /tmp/survive.log || { cat /tmp/survive.log; return 1; }
    store_kill
    store_start "$1"
    wait "$surviving"
    survived=$?
    cat /tmp/survive.log
    return "$survived"
}

guest() {
    wait_for 60 xenstore-exists data/lab/daemon
    check "guest: client of $(xenstore-read data/lab/daemon)" 120 xen-lab-agent store
}
