import Synchronization
import Testing
import XenCore
import XenEvtchn
import XenMock
import XenSystem

/// A guest is suspended and resumed while an event thread of it serves its ports.
@Suite struct ThreadResumeTests {
    let stage = EventThreadStage(left: DomainID(3), right: .dom0)

    private func saveAndRestore() {
        stage.hypervisor.suspend(stage.left.domain)
        stage.hypervisor.resume(stage.left.domain)
    }

    @Test func theThreadItsPortsAndAllItsWaitsEndAsStale() async throws {
        let thread = try EventThread.start(on: stage.leftEvents)
        let watched = try thread.watch(try stage.unboundChannel())
        let served = try thread.serve(try stage.unboundChannel()) { _ in .emptied(handled: 0) }
        let late = try stage.unboundChannel()
        let ends = try await Endings(of: thread, waitingFor: watched.id) {
            saveAndRestore()
            _ = try stage.leftEvents.afterResume()
        }
        #expect(ends == Endings(all: .stale))
        #expect(thread.failure?.code == .stale)

        #expect(refusal(serving: late, by: thread) == .stale)
        let ringing = refusal { () throws(EventChannelError) in try served.notify() }
        #expect(ringing == .stale)
        #expect(refusal(closing: served) == .stale)
        #expect(refusal(closing: watched) == .stale)
        // Its actors live on: nothing of theirs is stale.
        let counter = Counter(thread)
        await counter.add(3)
        #expect(await counter.total == 3)
        try await thread.stop(until: patience)
        try stage.hypervisor.assertCleanedUp()
    }

    @Test func aNewThreadOnTheNewHandleServesAPortOfTheSameNumber() throws {
        let oldThread = try EventThread.start(on: stage.leftEvents)
        let (oldBox, box) = (Box(), Box())
        let old = try oldThread.serve(try stage.unboundChannel()) { oldBox.handle($0) }
        saveAndRestore()
        let events = try stage.leftEvents.afterResume()
        let thread = try EventThread.start(on: events)
        try oldThread.stopBlocking(until: patience)
        let pair = try stage.channel(on: events)
        let right = pair.right
        #expect(pair.left.port == old.port)
        let served = try thread.serve(pair.left) { box.handle($0) }
        for round in 1...20 {
            oldBox.put()
            box.put()
            try right.notify()
            #expect(eventually { box.handled == round })
        }
        #expect(oldBox.handled == 0)
        // The number is not the old channel's any more.
        #expect(refusal(closing: old) == .stale)
        box.put()
        try right.notify()
        #expect(eventually { box.handled == 21 })
        try served.close()
        try thread.stopBlocking(until: patience)
    }

    @Test func aHandlerMayNoticeTheResumeItself() throws {
        let thread = try EventThread.start(on: stage.leftEvents)
        let epoch = Mutex(Epoch.none)
        let served = try thread.serve(try stage.unboundChannel()) { _ in
            saveAndRestore()
            let next = try? stage.leftEvents.afterResume()
            epoch.withLock { $0 = next?.epoch ?? .none }
            return .budgetUsed(handled: 1)
        }
        #expect(eventually { thread.failure != nil })
        #expect(thread.failure?.code == .stale)
        // It ends with the turn in which it noticed, or the one after it.
        try thread.stopBlocking(until: patience)
        #expect(epoch.withLock { $0 } == Epoch(rawValue: 2))
        #expect(refusal(closing: served) == .stale)
    }

    @Test func aResumeAtAnyMomentOfAStormEndsTheThread() throws {
        var events = stage.leftEvents
        for _ in 0..<50 {
            let thread = try EventThread.start(on: events)
            let pair = try stage.channel(on: events)
            let right = pair.right
            let isOver = Flag()
            let storm = try PlatformThread {
                while !isOver.isSet { try? right.notify() }
            }
            let served = try thread.serve(pair.left) { .emptied(handled: $0.budget) }
            saveAndRestore()
            events = try events.afterResume()
            #expect(eventually { thread.failure?.code == .stale })
            isOver.set()
            storm.join()
            #expect(refusal(closing: served) == .stale)
        }
        #expect(events.epoch == Epoch(rawValue: 51))
    }
}

private func refusal(closing channel: consuming ServedChannel) -> EventChannelError.Code? {
    do {
        try channel.close()
        return nil
    } catch {
        return error.code
    }
}

private func refusal(
    serving channel: consuming EventChannel, by thread: EventThread
) -> EventChannelError.Code? {
    do {
        try thread.watch(channel).close()
        return nil
    } catch {
        return error.code
    }
}
