import CAllocationCount
import Synchronization
import XenCore
import XenEvtchn
import XenRing

/// What one side did.
struct Tally: CustomStringConvertible {
    let side: String
    var messages: UInt64 = 0
    var notifications = 0
    var sleeps = 0
    /// Of an event thread that spins.
    var looks: UInt64 = 0
    /// Made while the ring was worked on.
    var ringAllocations: UInt64 = 0
    /// Made while the mock's event channels were.
    var eventAllocations: UInt64 = 0

    init(_ side: String) { self.side = side }

    var description: String {
        """
        \(side): \(messages) messages, \(ringAllocations) allocations by the ring, \
        \(notifications) notifications, \(sleeps) sleeps, \(looks) looks, \
        \(eventAllocations) allocations by these
        """
    }
}

/// An event channel with the handle that waits for it, and the count of what this costs.
struct Doorbell: ~Copyable, Sendable {
    private let events: EventChannels
    private let channel: EventChannel

    init(_ events: EventChannels, _ channel: consuming EventChannel) {
        self.events = events
        self.channel = channel
    }

    func notify(if needed: PeerNotification, _ tally: inout Tally) throws {
        guard needed == .required else { return }
        let before = allocation_count_of_this_thread()
        try channel.notify()
        tally.notifications += 1
        tally.eventAllocations += allocation_count_of_this_thread() - before
    }

    func sleep(_ tally: inout Tally) throws {
        let before = allocation_count_of_this_thread()
        guard let event = try events.wait(until: .after(.seconds(60))) else {
            throw LostWakeUp(tally: tally.description)
        }
        try event.unmask()
        tally.sleeps += 1
        tally.eventAllocations += allocation_count_of_this_thread() - before
    }
}

struct LostWakeUp: Error { let tally: String }

struct WrongAnswer: Error { let number: UInt64 }

final class RequestingParty: Sendable {
    private let doorbell: Doorbell
    private let ring: Mutex<FrontRing<Wide<14>, Wide<2>>>
    let outcome = Mutex<Result<Tally, any Error>?>(nil)

    init(_ doorbell: consuming Doorbell, _ memory: SharedMemory) {
        self.doorbell = doorbell
        ring = Mutex(FrontRing(initializing: memory))
    }

    func run(_ total: UInt64) {
        let result = Result { try ring.withLock { try send(total, through: &$0) } }
        outcome.withLock { $0 = result }
    }

    private func send(
        _ total: UInt64, through ring: inout FrontRing<Wide<14>, Wide<2>>
    ) throws -> Tally {
        var tally = Tally("front")
        var sent: UInt64 = 0
        while tally.messages < total {
            let before = allocation_count_of_this_thread()
            while sent < total, ring.push(Wide(sent)) { sent += 1 }
            let notification = ring.publish()
            let start = tally.messages
            var wrong: UInt64?
            try ring.drain { response in
                if response.value != ~tally.messages { wrong = response.value }
                tally.messages += 1
            }
            tally.ringAllocations += allocation_count_of_this_thread() - before
            if let wrong { throw WrongAnswer(number: wrong) }
            try doorbell.notify(if: notification, &tally)
            if tally.messages == start && tally.messages < total { try doorbell.sleep(&tally) }
        }
        return tally
    }
}

final class ServingParty: Sendable {
    private let doorbell: Doorbell
    private let ring: Mutex<BackRing<Wide<14>, Wide<2>>>
    let outcome = Mutex<Result<Tally, any Error>?>(nil)

    init(_ doorbell: consuming Doorbell, _ memory: SharedMemory) {
        self.doorbell = doorbell
        ring = Mutex(BackRing(attachingTo: memory))
    }

    func run(_ total: UInt64) {
        let result = Result { try ring.withLock { try serve(total, through: &$0) } }
        outcome.withLock { $0 = result }
    }

    private func serve(
        _ total: UInt64, through ring: inout BackRing<Wide<14>, Wide<2>>
    ) throws -> Tally {
        var tally = Tally("back")
        while tally.messages < total {
            let before = allocation_count_of_this_thread()
            let notification = try ring.serve { request in
                tally.messages += 1
                return Wide(request.isWhole ? ~request.value : 0)
            }
            tally.ringAllocations += allocation_count_of_this_thread() - before
            try doorbell.notify(if: notification, &tally)
            if tally.messages < total { try doorbell.sleep(&tally) }
        }
        return tally
    }
}
