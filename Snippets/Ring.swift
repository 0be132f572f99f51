// Sends a request through a ring, and wakes the other domain only if it sleeps.
import XenEvtchn
import XenGrant
import XenMock
import XenRing

struct Number: RingMessage {
    static let byteCount = 8
    var value: UInt64
}

func double(_ number: UInt64) throws -> UInt64? {
    let hypervisor = MockHypervisor()
    let guest = hypervisor.domain(DomainID(1)).startProcess(name: "guest")
    let dom0 = hypervisor.domain(.dom0).startProcess(name: "dom0")

    // The frontend makes the page and the port; the backend learns their numbers from the store.
    // `unsafe`: the ring does not own the page, which has to outlive it.
    let share = try GrantTable(guest.grants).share(pageCount: 1, with: .dom0)
    let front = try EventChannels(guest.events).bindUnbound(for: .dom0)
    var requests = unsafe FrontRing<Number, Number>(initializing: share.memory)

    let mapping = try GrantTable(dom0.grants).map(share.references, of: DomainID(1))
    let back = try EventChannels(dom0.events).bindInterdomain(to: front.port, of: DomainID(1))
    var served = unsafe BackRing<Number, Number>(attachingTo: mapping.memory)

    guard requests.push(Number(value: number)) else { return nil }  // false: the ring is full
    if requests.publish() == .required { try front.notify() }

    while let request = try served.next() { served.push(Number(value: request.value * 2)) }
    if served.publish() == .required { try back.notify() }

    let event = try EventChannels(guest.events).wait(until: .after(.seconds(1)))
    try event?.unmask()
    return try requests.next()?.value
}

print(try double(21) ?? 0)
