# shellcheck shell=sh disable=SC2154 # variables of Lab/inside
# The XenTesting suites for grants and event channels, dom0 against a guest and a guest against dom0: the left party is
# where the suites run, the right one is reached over a link of our own byte rings in granted pages.
# expect: dom0: grant and event channel suites, right party in a guest
# expect: guest: grant and event channel suites, right party in dom0

dom0() {
    guest_start || return
    check "dom0: grant and event channel suites, right party in a guest" 600 \
        xen-lab-agent suites --domain 0 --right-domain "$guest"
    xen-lab-agent party --domain 0 --left-domain "$guest" >/tmp/party.log 2>&1 &
    guest_finish 700 || show /tmp/party.log 5
}

guest() {
    domain=$(xenstore-read domid)
    xen-lab-agent party --domain "$domain" --left-domain 0 >/tmp/party.log 2>&1 ||
        report note "" "the guest's party: $(tail -n 1 /tmp/party.log)"
    check "guest: grant and event channel suites, right party in dom0" 600 \
        xen-lab-agent suites --domain "$domain" --right-domain 0
}
