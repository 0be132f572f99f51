// Plays a driver through a thousand histories in which notifications are lost.
import XenCore
import XenEvtchn
import XenMock
import XenTesting

/// What is tested: a driver that counts how often it was rung, and looks at its mailbox when it was.
final class Driver {
    let process: MockProcess
    private let events: EventChannels
    private let mailbox: () -> Int?
    private(set) var received: [Int] = []

    init(_ process: MockProcess, mailbox: @escaping () -> Int?) {
        self.process = process
        self.mailbox = mailbox
        events = EventChannels(process.events)
    }

    /// One step: nothing in it blocks, and what it knows of time it is told.
    func step(now: ContinuousClock.Instant) throws -> ContinuousClock.Instant? {
        while let event = try events.wait(until: .now) { try event.unmask() }
        while let letter = mailbox() { received.append(letter) }
        // The history fails without this second look, since some notification is lost.
        return now + .milliseconds(100)
    }
}

let history = SimulatedHistory("driver") { simulation in
    // The stage: two domains, and a hypervisor whose faults are the history's choices.
    let hypervisor = MockHypervisor()
    var faults = MockFaults()
    faults.lost = 0.3
    hypervisor.inject(faults) { [choices = simulation.choices] fault, probability in
        choices.happens(fault.rawValue, probability)
    }
    let sender = hypervisor.domain(DomainID(1)).startProcess(name: "sender")
    let channel = try EventChannels(sender.events).bindUnbound(for: .dom0)
    let process = hypervisor.domain(.dom0).startProcess(name: "driver")
    let bound = try EventChannels(process.events)
        .bindInterdomain(to: channel.port, of: DomainID(1))

    // The parties.
    let port = channel.port
    var letters: [Int] = []
    let driver = Driver(process) { letters.isEmpty ? nil : letters.removeFirst() }
    simulation.add("driver", isRung: { process.hasPendingEvent }, step: driver.step)
    var sent = 0
    simulation.add("sender") { now in
        guard sent < 20 else { return nil }
        if simulation.choices.happens("letter", 0.9) { letters.append(sent) }
        sent += 1
        try sender.events.notify(port)
        return now + .milliseconds(simulation.choices.number("pause", in: 0..<300))
    }

    // The promises.
    try simulation.run(
        until: { sent == 20 && letters.isEmpty }, within: .seconds(10), "all letters arrive")
    guard driver.received == driver.received.sorted() else {
        throw SimulationFailure("letters arrive in their order", "\(driver.received)")
    }
    try channel.close()
    try bound.close()
    try hypervisor.assertCleanedUp()
}

try history.check(seeds: 0..<1000)  // throws the failed history, shrunk, with its seed and trace
