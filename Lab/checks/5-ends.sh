# shellcheck shell=sh disable=SC2154 # variables of Lab/inside
# A guest is destroyed and another one saved and restored, each in mid-traffic: with our block frontend, and with an
# agent that has a page and a port alone. Their peers in dom0 stay when their traffic has ended, so that what they
# might still hold can be seen.
# expect: dom0: both peers of a guest that is destroyed end in time
# expect: dom0: nothing of the destroyed guest is left in Xen
# expect: dom0: both peers of a guest that is saved end in time
# expect: dom0: nothing of the saved guest is left in Xen
# expect: guest: our frontend finishes its copy after the restore, in a new epoch
# expect: guest: page and port from before the restore are let go of, and new ones work
# expect: guest: its kernel has seen no fault
# expect: dom0: the restored guest's copy is the image

dom0() {
    hypervisor_state >/tmp/before
    guest_start || return
    disk_attach
    start_peers
    check "dom0: both peers of a guest that is destroyed end in time" 120 end_in_traffic xl destroy lab
    check "dom0: nothing of the destroyed guest is left in Xen" 30 nothing_left
    stop_peers
    guest_start || return
    disk_attach
    start_peers
    check "dom0: both peers of a guest that is saved end in time" 120 end_in_traffic xl save lab /tmp/saved
    check "dom0: nothing of the saved guest is left in Xen" 30 nothing_left
    stop_peers
    restore_guest || return
    guest_finish 150 || { show /tmp/serve.log 5; show /tmp/call.log 5; }
    check "dom0: the restored guest's copy is the image" 20 disk_compare_copy
}

start_peers() {
    xen-lab-agent serve --image "$disk_image" --frontend-domain "$guest" --device "$disk_device" \
        >/tmp/serve.log 2>&1 &
    serving=$!
    xen-lab-agent call --domain "$guest" --patience 3000 >/tmp/call.log 2>&1 &
    calling=$!
}

stop_peers() {
    kill -9 "$serving" "$calling"
    wait "$serving" "$calling" 2>/dev/null
}

# end_in_traffic COMMAND...: what ends the guest's life. Either peer says by itself that its traffic has ended: the
# backend since the store tells it, the other one since no answer comes in time.
end_in_traffic() {
    wait_for 60 peers_are_busy || { cat /tmp/serve.log /tmp/call.log; return 1; }
    # Of the pages that the backend maps, the hypervisor has to know: else it could not miss one either.
    hypervisor_state >/tmp/state-now
    active_count=$(grep -c '^\[0x' /tmp/state-now)
    [ "$active_count" -ge 100 ] || { echo "only $active_count active grants in traffic"; return 1; }
    "$@" >/tmp/ending.log 2>&1 || { cat /tmp/ending.log; return 1; }
    wait_for 15 peers_have_ended || { cat /tmp/serve.log /tmp/call.log; return 1; }
    kill -0 "$serving" "$calling" || return
    [ "$(backend_bytes_read)" -lt $((disk_mebibytes * 1048576)) ] ||
        { echo "the copy was over before"; return 1; }
    echo "backend: $(sed -n 's/^ended: //p' /tmp/serve.log) / agent: $(sed -n 's/^ended: //p' /tmp/call.log)"
}

# The backend has read a part of its image, and the agent has had answers.
peers_are_busy() {
    [ "$(backend_bytes_read)" -ge 4194304 ] && grep -q answers /tmp/call.log
}

# What the backend has read from its image and elsewhere, as the kernel counts it.
backend_bytes_read() {
    sed -n 's/^rchar: //p' "/proc/$serving/io"
}

peers_have_ended() {
    grep -q '^ended: the other end is gone' /tmp/serve.log &&
        grep -q '^ended: no answer' /tmp/call.log
}

# Both peers still run: it is not the kernel that has cleared up after them.
nothing_left() {
    wait_for 20 hypervisor_is_as /tmp/before || { diff /tmp/before /tmp/state-now; return 1; }
    echo "$(grep -c 's=' /tmp/before) ports of dom0 as before, no active grant, no other domain"
}

# As xl does it with the devices of a configuration: they are there before the guest goes on.
restore_guest() {
    xl restore -p /tmp/saved >/tmp/restore.log 2>&1 || { show /tmp/restore.log 10; return 1; }
    rm /tmp/saved
    guest=$(xl domid lab)
    xen-block attach --frontend-domain "$guest" --device "$disk_device" --backend-domain 0
    start_peers
    xl unpause lab
}

# Either program outlives the guest's being saved, and ends as it should after that: Linux has stopped some that did not
# let go of their ports.
guest() {
    disk_await
    xen-lab-agent answer --after-resume 50 >/tmp/answer.log 2>&1 &
    answering=$!
    xen-block copy --device "$disk_device" --rate 1 --output /tmp/copy >/tmp/copy.log 2>&1 &
    copying=$!
    check "guest: our frontend finishes its copy after the restore, in a new epoch" 140 finish_copy
    check "guest: page and port from before the restore are let go of, and new ones work" 40 finish_answers
    check "guest: its kernel has seen no fault" 10 faultless
}

finish_copy() {
    wait_for 130 has_ended "$copying" || { tail -n 5 /tmp/copy.log; return 1; }
    grep -E 'copied in [2-9] epochs' /tmp/copy.log || { tail -n 5 /tmp/copy.log; return 1; }
    tell copy-sha256 "$(disk_digest 0 "$disk_mebibytes" /tmp/copy)"
    tail -n 1 /tmp/copy.log
}

finish_answers() {
    wait_for 30 has_ended "$answering" || { cat /tmp/answer.log; return 1; }
    cat /tmp/answer.log
    # At least the fifty that it was to wait for; how many more depends on how fast they come.
    grep -qE 'stale, ([5-9][0-9]|[1-9][0-9]{2,}) answers more' /tmp/answer.log
}

# has_ended PROCESS: it is a zombie by then, or nothing.
has_ended() {
    ! grep -q '^State:[[:space:]]*[^Z[:space:]]' "/proc/$1/status"
}

faultless() {
    dmesg | grep -E 'BUG|WARNING|Oops|segfault' && return 1
    echo "$(dmesg | grep -c 'Restarting tasks') resume"
}
