import Synchronization
import XenCore
import XenEvtchn
import XenSystem

// An event thread over the back end.
extension EventChannelConformance {
    static let eventThread = [
        ConformanceCheck("an event thread answers every message") { host in
            let thread = try EventThread.start(on: host.left.events)
            let doorbell = try Doorbell(host)
            let mailbox = Mailbox()
            let right = doorbell.right
            mailbox.serve(
                try thread.serve(doorbell.left, poll: { mailbox.hasMail }) { mailbox.handle($0) })
            let rounds = host.rounds(1000)
            for round in 1...rounds {
                mailbox.put()
                try right.notify()
                try expectRing(of: right.port, on: host.right, "answering message \(round)")
            }
            try expect("messages handled", mailbox.handledCount, is: rounds)
            try mailbox.close()
            try right.close()
            try thread.stopBlocking(until: .after(host.left.patience))
        },
        ConformanceCheck("a wait after a count is over by the next event, and misses none") {
            host in
            let thread = try EventThread.start(on: host.left.events)
            let doorbell = try Doorbell(host)
            let right = doorbell.right
            let served = try thread.watch(doorbell.left)
            let id = served.id
            var count = try thread.waitBlocking(
                for: id, after: 0, until: .after(host.left.patience))
            for _ in 0..<100 {
                try right.notify()
                let next = try thread.waitBlocking(
                    for: id, after: count, until: .after(host.left.patience))
                try expect(next > count, "woken without an event: \(count), \(next)")
                count = next
            }
            try expectTimeOut { () throws(EventChannelError) in
                _ = try thread.waitBlocking(for: id, after: count, until: shortWhile)
            }
            try served.close()
            try right.close()
            try thread.stopBlocking(until: .after(host.left.patience))
        },
        ConformanceCheck("a port that rings without end leaves an event thread to the others") {
            host in
            let thread = try EventThread.start(on: host.left.events)
            let storm = try Doorbell(host)
            let (stormer, stormPort) = (host.right.eventBackend, storm.right.port)
            let stormRight = storm.right
            let noisy = try thread.serve(storm.left) { _ in .emptied(handled: 0) }
            let quiet = try Doorbell(host)
            let right = quiet.right
            let mailbox = Mailbox()
            mailbox.serve(try thread.serve(quiet.left) { mailbox.handle($0) })
            let isOver = Atomic(false)
            let rings = try PlatformThread {
                while !isOver.load(ordering: .relaxed) { try? stormer.notify(stormPort) }
            }
            defer { isOver.store(true, ordering: .relaxed) }
            for round in 1...50 {
                mailbox.put()
                try right.notify()
                try expectRing(of: right.port, on: host.right, "in the storm's round \(round)")
            }
            let deadline = Deadline.after(host.left.patience)
            while thread.counters(of: noisy.id)?.stormCount == 0, !deadline.hasPassed {
                try pause(.milliseconds(1))
            }
            isOver.store(true, ordering: .relaxed)
            rings.join()
            let storms = thread.counters(of: noisy.id)?.stormCount ?? 0
            try expect(storms > 0, "expected the port that rings in vain to be kept masked")
            try noisy.close()
            try stormRight.close()
            try mailbox.close()
            try right.close()
            try thread.stopBlocking(until: .after(host.left.patience))
        },
        ConformanceCheck("stopping an event thread ends its waits and frees its ports") { host in
            let thread = try EventThread.start(on: host.left.events)
            let channel = try host.left.events.bindUnbound(for: host.right.domain)
            let served = try thread.watch(channel)
            let id = served.id
            let code = Mutex<EventChannelError.Code?>(nil)
            let waiter = try PlatformThread {
                do throws(EventChannelError) {
                    _ = try thread.waitBlocking(
                        for: id, after: 1000, until: .after(host.left.patience))
                } catch { code.withLock { $0 = error.code } }
            }
            try pause(.milliseconds(5))
            try thread.stopBlocking(until: .after(host.left.patience))
            waiter.join()
            try expect("the end of the wait", code.withLock { $0 }, is: .stopped)
            try served.close()
            // The handle is anybody's again.
            let doorbell = try Doorbell(host)
            try doorbell.right.notify()
            try expectRing(of: doorbell.left.port, on: host.left, "after the event thread's end")
            try doorbell.close()
        },
    ]

    private static func expectTimeOut(_ wait: () throws(EventChannelError) -> Void) throws {
        do throws(EventChannelError) {
            try wait()
        } catch {
            return try expect("the end of a wait (\(error))", error.code, is: .timedOut)
        }
        throw ConformanceFailure("expected a wait for nothing to time out")
    }
}

/// Messages without a ring: what a peer in this process sent, and what was handled of it.
private final class Mailbox: Sendable {
    private let sent = Atomic(0)
    private let handled = Atomic(0)
    private let channel = Mutex<ServedChannel?>(nil)

    var hasMail: Bool { sent.load(ordering: .sequentiallyConsistent) > 0 }
    var handledCount: Int { handled.load(ordering: .sequentiallyConsistent) }

    func put() { sent.add(1, ordering: .sequentiallyConsistent) }

    func serve(_ served: consuming ServedChannel) {
        var served: ServedChannel? = consume served
        channel.withLock { swap(&$0, &served) }
    }

    /// Handles all, and rings for each message.
    func handle(_ turn: EventThread.Turn) -> EventThread.Outcome {
        let count = sent.exchange(0, ordering: .sequentiallyConsistent)
        guard count > 0 else { return .emptied(handled: 0) }
        handled.add(count, ordering: .sequentiallyConsistent)
        channel.withLock { try? $0?.notify() }
        return .emptied(handled: count)
    }

    func close() throws {
        let served = channel.withLock { $0.take() }
        try served?.close()
    }
}
