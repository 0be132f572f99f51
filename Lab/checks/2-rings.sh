# shellcheck shell=sh disable=SC2154 # variables of Lab/inside
# The XenTesting suite for rings, a half in dom0 and a half in a guest: over real grants and event channels, with the
# front ends in either. A check passes only if both halves have passed it; both say the same.
# expect: dom0: its half of the ring suite
# expect: guest: its half of the ring suite
# expect: dom0: nothing of the rings is left in Xen

dom0() {
    guest_start || return
    wait_for 90 guest_value rings-ready || { show /tmp/guest-lab.log 10; return; }
    hypervisor_state >/tmp/before
    check "dom0: its half of the ring suite" 200 play_rings 0 "$guest"
    guest_finish 60
    check "dom0: nothing of the rings is left in Xen" 60 nothing_left
}

guest() {
    tell rings-ready yes
    check "guest: its half of the ring suite" 220 play_rings "$(xenstore-read domid)" 0
}

# play_rings DOMAIN PEER: this domain's half. The process stays, so that what it might still hold can be seen.
play_rings() {
    xen-lab-agent rings --domain "$1" --peer "$2" --stay >/tmp/rings.log 2>&1 &
    playing=$!
    wait_for 190 rings_are_over || { tail -n 5 /tmp/rings.log; return 1; }
    grep -v '^ok' /tmp/rings.log
    kill -0 "$playing" && tail -n 1 /tmp/rings.log | grep -q '^[1-9][0-9]* passed, 0 failed$'
}

rings_are_over() {
    grep -q '^[0-9]* passed, [0-9]* failed$' /tmp/rings.log || ! kill -0 "$playing"
}

# Both processes still run: it is not the kernels that have cleared up after them.
nothing_left() {
    wait_for 10 hypervisor_is_as /tmp/before || { diff /tmp/before /tmp/state-now; return 1; }
    echo "$(grep -c 's=' /tmp/before) ports and $(grep -c '^\[0x' /tmp/before) active grants, as before the suite"
}
