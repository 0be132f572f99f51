import Synchronization
import Testing
import XenCore
import XenEvtchn
import XenMock
import XenSystem

/// The thread itself, over the mock.
@Suite struct EventThreadTests {
    @Test func aHandlerIsCalledForEachEvent() throws {
        let stage = EventThreadStage()
        do {
            let thread = try EventThread.start(on: stage.leftEvents)
            let pair = try stage.channel()
            let right = pair.right
            let box = Box()
            let served = try thread.serve(pair.left) { box.handle($0) }
            for round in 1...200 {
                box.put()
                try right.notify()
                #expect(eventually { box.handled == round })
            }
            // A turn is counted once the handler has returned.
            #expect(eventually { thread.counters(of: served.id)?.messageCount == 200 })
            let counters = try #require(thread.counters(of: served.id))
            #expect(counters.messageCount == 200)
            #expect(counters.eventCount <= 201)
            try served.close()
            try thread.stopBlocking(until: patience)
            #expect(thread.failure?.code == .stopped)
        }
        try stage.hypervisor.assertCleanedUp()
    }

    @Test func whatWasWrittenBeforeServingIsSeen() throws {
        let stage = EventThreadStage()
        let thread = try EventThread.start(on: stage.leftEvents)
        let pair = try stage.channel()
        let right = pair.right
        let box = Box()
        box.put()
        try right.notify()
        // Its event comes, and is dropped, while nobody serves the port.
        #expect(eventually { thread.counters.staleCount == 1 })
        let served = try thread.serve(pair.left) { box.handle($0) }
        #expect(eventually { box.handled == 1 })
        box.put()
        try right.notify()
        #expect(eventually { box.handled == 2 }, "unmasked by the first look")
        try served.close()
    }

    @Test func aStormStarvesNeitherTheOtherPortsNorTheJobs() async throws {
        let stage = EventThreadStage()
        let thread = try EventThread.start(on: stage.leftEvents)
        let pairStorm = try stage.channel()
        let stormRight = pairStorm.right
        let pair = try stage.channel()
        let right = pair.right
        let storming = try thread.serve(pairStorm.left) { _ in .emptied(handled: 0) }
        let stormID = storming.id
        // The first turn, which no event caused, is over.
        #expect(eventually { (try? thread.activationCount(of: stormID)) == 1 })
        let box = Box()
        let served = try thread.serve(pair.left) { box.handle($0) }
        let isOver = Flag()
        let storm = try PlatformThread {
            while !isOver.isSet { try? stormRight.notify() }
        }
        let counter = Counter(thread)
        for round in 1...20 {
            box.put()
            try right.notify()
            #expect(eventually { box.handled == round })
            await counter.add(1)
        }
        #expect(eventually { (thread.counters(of: storming.id)?.stormCount ?? 0) > 2 })
        isOver.set()
        storm.join()
        #expect(await counter.total == 20)
        #expect(thread.counters(of: served.id)?.stormCount == 0)
        // What is under way comes to its end: every single event was in vain.
        #expect(
            eventually {
                let counters = thread.counters(of: stormID)
                return counters?.spuriousCount == counters?.eventCount
            })
        try storming.close()
        try served.close()
    }

    @Test func aHandlerThatNeverEndsItsWorkLeavesTurnsToTheOthers() async throws {
        let stage = EventThreadStage()
        let thread = try EventThread.start(on: stage.leftEvents)
        let pairBusy = try stage.channel()
        let pair = try stage.channel()
        let right = pair.right
        let busy = try thread.serve(pairBusy.left) { .budgetUsed(handled: $0.budget) }
        let box = Box()
        let served = try thread.serve(pair.left) { box.handle($0) }
        let counter = Counter(thread)
        for round in 1...20 {
            box.put()
            try right.notify()
            #expect(eventually { box.handled == round })
            await counter.add(1)
        }
        try busy.close()
        try served.close()
    }

    /// The message comes while the thread spins: nobody else calls `poll`.
    @Test(.enabled(if: Processor.availableCount > 1))
    func pollSeesWorkWithoutAnEvent() throws {
        let stage = EventThreadStage()
        let thread = try EventThread.start(on: stage.leftEvents)
        let pair = try stage.channel()
        let right = pair.right
        let box = Box()
        let served = try thread.serve(
            pair.left,
            poll: {
                box.put()
                return true
            }
        ) { turn in
            box.handle(turn)
        }
        // It spins again and again, if seldom: a few sleeps pay for a spin.
        #expect(
            try eventually {
                try right.notify()
                return box.handled > 0
            })
        #expect((thread.counters(of: served.id)?.pollCount ?? 0) > 0)
        #expect(thread.counters.spinCount > 0)
        try served.close()
    }

    @Test func afterCloseTheHandlerDoesNotRun() throws {
        let stage = EventThreadStage()
        let thread = try EventThread.start(on: stage.leftEvents)
        for _ in 0..<200 {
            let pair = try stage.channel()
            let right = pair.right
            let isClosed = Flag()
            let ranLate = Flag()
            let served = try thread.serve(
                pair.left,
                poll: {
                    if isClosed.isSet { ranLate.set() }
                    return false
                }
            ) { _ in
                for _ in 0..<100 { Processor.pause() }
                if isClosed.isSet { ranLate.set() }
                return .emptied(handled: 1)
            }
            try right.notify()
            try served.close()
            isClosed.set()
            #expect(!ranLate.isSet)
        }
    }

    @Test func aHandlerMayCloseItsOwnPort() throws {
        let stage = EventThreadStage()
        let thread = try EventThread.start(on: stage.leftEvents)
        let pair = try stage.channel()
        let right = pair.right
        let slot = Slot()
        let isClosed = Flag()
        slot.put(
            try thread.serve(pair.left) { _ in
                if slot.closeIfThere() { isClosed.set() }
                return .emptied(handled: 1)
            })
        try right.notify()
        #expect(eventually { isClosed.isSet })
        try thread.stopBlocking(until: patience)
        withExtendedLifetime(right) {}
    }

    @Test func whenTheHandleDiesEverythingEndsWithItsError() async throws {
        let stage = EventThreadStage()
        let thread = try EventThread.start(on: stage.leftEvents)
        let pair = try stage.channel()
        let served = try thread.watch(pair.left)
        let id = served.id
        let ends = try await Endings(of: thread, waitingFor: id) { stage.left.kill() }
        #expect(ends == Endings(all: .unavailable))
        #expect(thread.failure?.code == .unavailable)
        let late = await failure { _ = try await thread.wait(for: id, after: 0, until: patience) }
        #expect(late?.code == .unavailable)
        // An executor goes on running its actors.
        let counter = Counter(thread)
        await counter.add(3)
        #expect(await counter.total == 3)
        try await thread.stop(until: patience)
        _ = consume served
    }

    @Test func withoutItsLastReferenceItStops() async throws {
        let stage = EventThreadStage()
        weak var forgotten: EventThread?
        do {
            let counter = Counter(try EventThread.start(on: stage.leftEvents))
            await counter.add(1)
            forgotten = counter.thread
            #expect(forgotten != nil)
        }
        #expect(eventually { forgotten == nil })
    }

    @Test func stoppingFromAnActorOnTheThread() async throws {
        let stage = EventThreadStage()
        let counter = Counter(try EventThread.start(on: stage.leftEvents))
        try await counter.stop()
        await counter.add(1)
        #expect(await counter.total == 1)
    }

    @Test func aHandlerThatBlocksMakesStopTimeOut() async throws {
        let stage = EventThreadStage()
        let thread = try EventThread.start(on: stage.leftEvents)
        let pair = try stage.channel()
        let gate = ThreadSignal()
        let isIn = Flag()
        let served = try thread.serve(pair.left) { _ in
            isIn.set()
            gate.wait(until: patience)
            return .emptied(handled: 0)
        }
        #expect(eventually { isIn.isSet })
        #expect(throws: EventChannelError.self) {
            try thread.stopBlocking(until: .after(.milliseconds(20)))
        }
        let late = await failure { try await thread.stop(until: .after(.milliseconds(20))) }
        #expect(late?.code == .timedOut)
        gate.signal()
        try thread.stopBlocking(until: patience)
        _ = consume served
    }
}
