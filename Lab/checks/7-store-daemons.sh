# shellcheck shell=sh disable=SC2154 # variables of Lab/inside
# The store client against both of Debian's daemons, each of which dies and comes back: over the socket in dom0, and
# over the kernel's device in a guest. A daemon that comes back knows nothing: each of its lives has a guest of its own.
# Our own server is asked over its socket, in dom0.
# expect: dom0: client of our own server
# expect: dom0: client while the C xenstored dies and comes back
# expect: dom0: client of the C xenstored in its second life
# expect: guest: client of the C xenstored in its second life
# expect: dom0: client of oxenstored
# expect: guest: client of oxenstored
# expect: dom0: client while oxenstored dies and comes back
# expect: dom0: client of oxenstored in its second life
# expect: guest: client of oxenstored in its second life

dom0() {
    check "dom0: client of our own server" 90 own_server
    dom0_life "the C xenstored" c
    store_kill
    store_start o
    dom0_and_guest "oxenstored"
    dom0_life "oxenstored" o
    store_kill
    store_start c
}

# dom0_life NAME c|o: the daemon that runs dies and comes back under the client, then serves all of its suite.
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

# Beside the daemon, on a socket of its own.
own_server() {
    xs serve --socket /tmp/own.socket >/tmp/own.log 2>&1 &
    own=$!
    wait_for 20 test -S /tmp/own.socket && XENSTORED_PATH=/tmp/own.socket xen-lab-agent store
    own_status=$?
    kill "$own" && wait "$own" || { cat /tmp/own.log; return 1; }
    return "$own_status"
}

# survive c|o: a client with a watch and readers goes on through its daemon's death, in a new epoch.
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
