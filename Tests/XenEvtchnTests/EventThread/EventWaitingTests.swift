import Synchronization
import Testing
import XenCore
import XenEvtchn
import XenMock
import XenSystem

/// Waiting for a served port from elsewhere: threads, tasks, sequences.
@Suite struct EventWaitingTests {
    @Test func aThousandRoundsLoseNoWakeUp() throws {
        let stage = EventThreadStage()
        let thread = try EventThread.start(on: stage.leftEvents)
        let pair = try stage.channel()
        let right = pair.right
        let served = try thread.watch(pair.left)
        let id = served.id
        let written = Atomic(0)
        let read = Atomic(0)
        let peer = try PlatformThread {
            for round in 1...1000 {
                written.store(round, ordering: .sequentiallyConsistent)
                try? right.notify()
                _ = eventually(every: .zero) {
                    read.load(ordering: .sequentiallyConsistent) >= round
                }
            }
        }
        var seen = 0
        while seen < 1000 {
            let count = try thread.activationCount(of: id)
            seen = written.load(ordering: .sequentiallyConsistent)
            let isNew = seen > read.exchange(seen, ordering: .sequentiallyConsistent)
            if !isNew { _ = try thread.waitBlocking(for: id, after: count, until: patience) }
        }
        peer.join()
        try served.close()
    }

    @Test func aTaskIsWokenByTheNextEvent() async throws {
        let stage = EventThreadStage()
        let thread = try EventThread.start(on: stage.leftEvents)
        let pair = try stage.channel()
        let right = pair.right
        let served = try thread.watch(pair.left)
        let id = served.id
        // A new port begins with one activation, for whoever looks at it first.
        var count = try await thread.wait(for: id, after: 0, until: patience)
        for _ in 0..<100 {
            try right.notify()
            let next = try await thread.wait(for: id, after: count, until: patience)
            #expect(next > count)
            count = next
        }
        #expect(try thread.activationCount(of: id) == count)
        _ = consume served
    }

    @Test func aWaitEndsAtItsDeadline() async throws {
        let stage = EventThreadStage()
        let thread = try EventThread.start(on: stage.leftEvents)
        let served = try thread.watch(try stage.unboundChannel())
        let id = served.id
        for milliseconds in [0, 5] {
            let deadline = Deadline.after(.milliseconds(milliseconds))
            let error = await failure {
                _ = try await thread.wait(for: id, after: 1000, until: deadline)
            }
            #expect(error?.code == .timedOut)
            #expect(deadline.hasPassed)
            let blocked = #expect(throws: EventChannelError.self) {
                try thread.waitBlocking(
                    for: id, after: 1000, until: .after(.milliseconds(milliseconds)))
            }
            #expect(blocked?.code == .timedOut)
        }
        _ = consume served
    }

    /// The waiting thread's handler blocks, so that it is the cancellation alone that ends the wait.
    @Test func cancellingEndsAWaitAtOnce() async throws {
        let stage = EventThreadStage()
        let thread = try EventThread.start(on: stage.leftEvents)
        let watched = try thread.watch(try stage.unboundChannel())
        let id = watched.id
        #expect(eventually { (try? thread.activationCount(of: id)) == 1 })
        let gate = ThreadSignal()
        let isIn = Flag()
        let blocking = try thread.serve(try stage.unboundChannel()) { _ in
            // Only the first time: after unmasking it is called once more.
            if !isIn.isSet {
                isIn.set()
                gate.wait(until: patience)
            }
            return .emptied(handled: 0)
        }
        #expect(eventually { isIn.isSet })
        for isLate in [false, true] {
            let waiting = Task {
                await failure { _ = try await thread.wait(for: id, after: 1000, until: patience) }
            }
            let iterating = Task {
                await failure { for try await _ in thread.batches() {} }
            }
            if isLate { try pause(.milliseconds(5)) }
            waiting.cancel()
            iterating.cancel()
            #expect(await waiting.value?.code == .cancelled)
            #expect(await iterating.value == nil)
        }
        gate.signal()
        _ = consume watched
        _ = consume blocking
    }

    @Test func closingAPortEndsItsWaits() async throws {
        let stage = EventThreadStage()
        let thread = try EventThread.start(on: stage.leftEvents)
        let served = try thread.watch(try stage.unboundChannel())
        let id = served.id
        let waiting = Task {
            await failure { _ = try await thread.wait(for: id, after: 1000, until: patience) }
        }
        try pause(.milliseconds(5))
        try served.close()
        #expect(await waiting.value?.code == .badPort)
        #expect(throws: EventChannelError.self) { try thread.activationCount(of: id) }
    }

    @Test func batchesMergeWhatRangMeanwhile() async throws {
        let stage = EventThreadStage()
        let thread = try EventThread.start(on: stage.leftEvents)
        let first = try stage.channel()
        let second = try stage.channel()
        let (ringFirst, ringSecond) = (first.right, second.right)
        let one = try thread.watch(first.left)
        let two = try thread.watch(second.left)
        let ids = [one.id, two.id]
        #expect(eventually { ids.allSatisfy { (try? thread.activationCount(of: $0)) == 1 } })

        var batches = thread.batches().makeAsyncIterator()
        let onlySecond = thread.batches(of: [ids[1]])
        for round in UInt64(1)...5 {
            for ringer in [ringFirst, ringSecond] { try ringer.notify() }
            #expect(
                eventually { ids.allSatisfy { (try? thread.activationCount(of: $0)) == 1 + round } }
            )
        }
        let batch = try #require(try await batches.next())
        #expect(batch.map(\.id) == ids)
        #expect(batch.map(\.count) == [5, 5])

        try ringSecond.notify()
        #expect(try await batches.next()?.map(\.id) == [ids[1]])
        var other = onlySecond.makeAsyncIterator()
        #expect(try await other.next()?.map(\.id) == [ids[1]])

        try await thread.stop(until: patience)
        #expect(try await batches.next() == nil)
        _ = consume one
        _ = consume two
    }

    @Test func nobodyWaitsAndThePeerStorms() throws {
        let stage = EventThreadStage()
        let thread = try EventThread.start(on: stage.leftEvents)
        let pair = try stage.channel()
        let right = pair.right
        let served = try thread.watch(pair.left)
        let id = served.id
        #expect(
            try eventually {
                try right.notify()
                return (thread.counters(of: id)?.stormCount ?? 0) > 0
            })
        // Somebody who begins to wait is told at once, not when the pause is over.
        let count = try thread.activationCount(of: id)
        try right.notify()
        #expect(try thread.waitBlocking(for: id, after: count, until: patience) > count)
        try served.close()
    }
}
