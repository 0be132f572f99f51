import Testing
import XenCore

import XenEvtchn

/// What an event thread does next, step by step.
@Suite struct PortSchedulerTests {
    /// A scheduler with a clock that stands still unless told.
    struct Scene {
        var scheduler: PortScheduler
        var now = ContinuousClock.now
        /// Times that events were collected; none has come then.
        var collectCount = 0

        init(
            processorCount: Int = 1, _ change: (inout EventThread.Limits) -> Void = { _ in }
        ) {
            var limits = EventThread.Limits()
            change(&limits)
            scheduler = PortScheduler(
                limits: limits,
                policy: SpinPolicy(processorCount: processorCount, longest: limits.longestSpin))
        }

        /// The next step but collecting.
        mutating func next(hasJobs: Bool = false) -> PortScheduler.Step {
            while true {
                let step = scheduler.next(hasJobs: hasJobs) { now }
                guard case .collect(let limit) = step else { return step }
                #expect(limit == 64)
                collectCount += 1
            }
        }

        mutating func served(_ id: EventThread.PortID, _ outcome: EventThread.Outcome) {
            scheduler.served(id, outcome) { now }
        }

        /// Adds a port and goes through its first look, to where it waits for events.
        mutating func addQuiet(_ number: UInt32, hasPoll: Bool = false) -> EventThread.PortID {
            let id = scheduler.add(EventPort(number), hasHandler: true, hasPoll: hasPoll)
            while true {
                switch next() {
                case .serve(let id, _): served(id, .emptied(handled: 0))
                case .unmask(let id, _): scheduler.unmasked(id)
                case .park: return id
                case .spin, .collect, .runJobs: break
                }
            }
        }
    }

    private func turn(mustArm: Bool = true) -> EventThread.Turn {
        EventThread.Turn(budget: EventThread.Limits().messagesPerTurn, mustArm: mustArm)
    }

    @Test func handleUnmaskLookAgain() {
        var scene = Scene()
        let id = scene.addQuiet(5)
        scene.scheduler.rang(EventPort(5))
        #expect(scene.next() == .serve(id, turn()))
        scene.served(id, .emptied(handled: 1))
        #expect(scene.next() == .unmask(id, EventPort(5)))
        scene.scheduler.unmasked(id)
        #expect(scene.next() == .serve(id, turn()), "the look after unmasking")
        scene.served(id, .emptied(handled: 0))
        #expect(scene.next() == .park(until: nil))
    }

    @Test func aNewPortIsLookedAtAtOnce() {
        var scene = Scene()
        let id = scene.scheduler.add(EventPort(5), hasHandler: true, hasPoll: false)
        #expect(scene.next() == .serve(id, turn()))
        scene.served(id, .emptied(handled: 0))
        #expect(scene.next() == .unmask(id, EventPort(5)))
        #expect(scene.scheduler.counters.ports.eventCount == 0)
        #expect(scene.scheduler.counters.ports.spuriousCount == 0)
    }

    @Test func aPortWithMoreStaysMaskedAndTakesTurnsWithTheOthers() {
        var scene = Scene()
        let first = scene.addQuiet(1)
        let second = scene.addQuiet(2)
        scene.scheduler.rang(EventPort(1))
        scene.scheduler.rang(EventPort(2))
        for _ in 0..<3 {
            #expect(scene.next() == .serve(first, turn()))
            scene.served(first, .budgetUsed(handled: 64))
            if case .serve(second, _) = scene.next() {
                scene.served(second, .budgetUsed(handled: 64))
            } else {
                Issue.record("the second port was passed over")
            }
        }
        #expect(scene.scheduler.activationCount(of: first) == 1, "only since it was added")
    }

    @Test func neitherJobsNorPortsWaitForEver() {
        var scene = Scene()
        let id = scene.addQuiet(1)
        scene.scheduler.rang(EventPort(1))
        var (jobs, turns) = (0, 0)
        for _ in 0..<3000 {
            switch scene.next(hasJobs: true) {
            case .runJobs(let limit):
                #expect(limit == 64)
                scene.scheduler.ranJobs(limit)
                jobs += 1
            case .serve(id, _):
                scene.served(id, .budgetUsed(handled: 64))
                turns += 1
            case let step: Issue.record("\(step)")
            }
        }
        #expect(jobs == 1500 && turns == 1500)
        #expect(scene.collectCount >= 1499)
    }

    @Test func aPortThatRingsInVainIsKeptWaitingEverLonger() throws {
        var scene = Scene { limits in
            limits.spuriousInARow = 2
            limits.longestPause = .milliseconds(4)
        }
        let id = scene.addQuiet(1)
        var pauses: [Duration] = []
        for _ in 0..<7 {
            scene.scheduler.rang(EventPort(1))
            loop: while true {
                switch scene.next() {
                case .serve(let id, _): scene.served(id, .emptied(handled: 0))
                case .unmask(let id, _): scene.scheduler.unmasked(id)
                case .park(nil): break loop
                case .park(let until?):
                    pauses.append(scene.now.duration(to: until))
                    scene.now = until
                    scene.scheduler.slept()
                case .spin, .collect, .runJobs: break
                }
            }
        }
        #expect(pauses == [1, 2, 4, 4, 4].map { .milliseconds($0) })
        let counters = try #require(scene.scheduler.counters(of: id))
        #expect(counters.eventCount == 7)
        #expect(counters.spuriousCount == 7)
        #expect(counters.stormCount == 5)
    }

    @Test func workForgivesAStorm() {
        var scene = Scene { $0.spuriousInARow = 0 }
        let id = scene.addQuiet(1)
        // Work that was found while spinning excuses the event that tells of it.
        for _ in 0..<10 {
            scene.scheduler.polled(id)
            #expect(scene.next() == .serve(id, turn()))
            scene.served(id, .emptied(handled: 1))
            scene.scheduler.rang(EventPort(1))
            loop: while true {
                switch scene.next() {
                case .serve(let id, _): scene.served(id, .emptied(handled: 0))
                case .unmask(let id, _): scene.scheduler.unmasked(id)
                case .park(let until):
                    #expect(until == nil)
                    scene.scheduler.slept()
                    break loop
                case .spin, .collect, .runJobs: break
                }
            }
        }
        #expect(scene.scheduler.counters.ports.stormCount == 0)
    }

    @Test func aPauseEndsWhenWorkIsSeen() {
        var scene = Scene { $0.spuriousInARow = 0 }
        let id = scene.addQuiet(1, hasPoll: true)
        scene.scheduler.rang(EventPort(1))
        #expect(scene.next() == .serve(id, turn()))
        scene.served(id, .emptied(handled: 0))
        guard case .park(.some) = scene.next() else {
            Issue.record("not kept waiting")
            return
        }
        scene.scheduler.polled(id)
        #expect(scene.next() == .serve(id, turn()))
        scene.served(id, .emptied(handled: 1))
        #expect(scene.next() == .unmask(id, EventPort(1)))
    }

    @Test func spinArmPark() {
        var scene = Scene(processorCount: 2)
        let id = scene.addQuiet(1, hasPoll: true)
        scene.scheduler.slept()
        #expect(scene.next() == .spin(.microseconds(20)))
        scene.scheduler.spun(for: .microseconds(3), foundWork: true)
        scene.scheduler.polled(id)
        #expect(scene.next() == .serve(id, turn(mustArm: false)))
        scene.served(id, .unarmed(handled: 5))
        #expect(scene.next() == .spin(.microseconds(20)), "it found work, so it looks again")
        scene.scheduler.spun(for: .microseconds(20), foundWork: false)
        #expect(scene.next() == .serve(id, turn()), "armed before it sleeps")
        scene.served(id, .emptied(handled: 0))
        #expect(scene.next() == .park(until: nil))
    }

    @Test func workThatTheArmingTurnFindsKeepsItAwake() {
        var scene = Scene(processorCount: 2)
        let id = scene.addQuiet(1, hasPoll: true)
        scene.scheduler.polled(id)
        #expect(scene.next() == .serve(id, turn(mustArm: false)))
        scene.served(id, .unarmed(handled: 1))
        guard case .spin(let budget) = scene.next() else {
            Issue.record("did not spin")
            return
        }
        scene.scheduler.spun(for: budget, foundWork: false)
        #expect(scene.next() == .serve(id, turn()))
        scene.served(id, .emptied(handled: 1))
        #expect(scene.next() == .park(until: nil), "armed; the account is empty, so no spin")
    }

    @Test func anOverflowHasEveryPortLookedAt() {
        var scene = Scene()
        let ids = (1...3).map { scene.addQuiet($0) }
        scene.scheduler.overflowed()
        var served: [EventThread.PortID] = []
        var unmasked = 0
        loop: while true {
            switch scene.next() {
            case .serve(let id, _):
                served.append(id)
                scene.served(id, .emptied(handled: 0))
            case .unmask(let id, _):
                unmasked += 1
                scene.scheduler.unmasked(id)
            case .park: break loop
            case .spin, .collect, .runJobs: break
            }
        }
        #expect(served == ids.flatMap { [$0, $0] })
        #expect(unmasked == 3)
    }

    @Test func anEventOfAClosedPortDoesNothingToItsSuccessor() {
        var scene = Scene()
        let old = scene.addQuiet(1)
        #expect(scene.scheduler.remove(old) == true)
        #expect(scene.scheduler.remove(old) == false)
        scene.scheduler.rang(EventPort(1))
        #expect(scene.scheduler.counters.staleCount == 1)
        let new = scene.addQuiet(1)
        #expect(new != old)
        scene.served(old, .budgetUsed(handled: 1))
        scene.scheduler.polled(old)
        scene.scheduler.unmasked(old)
        #expect(scene.next() == .park(until: nil))
        #expect(scene.scheduler.counters(of: old) == nil)
        #expect(scene.scheduler.counters(of: new)?.turnCount == 2)
    }

    @Test(arguments: 0..<5) func aPortMayGoAtAnyMoment(_ moment: Int) {
        var scene = Scene()
        let id = scene.addQuiet(1)
        let other = scene.addQuiet(2)
        scene.scheduler.rang(EventPort(1))
        var step = 0
        func go() { if step == moment { scene.scheduler.remove(id) }; step += 1 }
        loop: while true {
            go()
            switch scene.next() {
            case .serve(let id, _):
                go()
                scene.served(id, .emptied(handled: 1))
            case .unmask(let id, _):
                go()
                scene.scheduler.unmasked(id)
            case .park: break loop
            case .spin, .collect, .runJobs: break
            }
        }
        scene.scheduler.rang(EventPort(2))
        #expect(scene.next() == .serve(other, turn()))
    }
}
