import XenCore
import XenEvtchn
import XenGrant
import XenMock
import XenTesting

/// A front that offers a ring, and then writes anything anywhere and rings.
final class HostileFront {
    private let process: MockProcess
    private let meeting: Meeting
    private let choices: HistoryChoices
    private let grants: GrantTable
    private let events: EventChannels
    private let life: Int
    private var connection: RingConnection?
    private var epoch = Epoch.none

    init(_ process: MockProcess, meeting: Meeting, choices: HistoryChoices) {
        life = meeting.beginFront()
        self.process = process
        self.meeting = meeting
        self.choices = choices
        grants = GrantTable(process.grants)
        events = EventChannels(process.events)
    }

    func step(now: ContinuousClock.Instant) throws -> ContinuousClock.Instant? {
        try process.whileAlive { try misbehave(now) }
    }

    private func misbehave(_ now: ContinuousClock.Instant) throws -> ContinuousClock.Instant? {
        while let event = try events.wait(until: .now) { try event.unmask() }
        if connection == nil || meeting.refused == connection?.offer {
            epoch = epoch.next
            let new = try RingConnection(
                epoch, life: life, domain: process.domain.id, grants: grants, events: events)
            connection = new
            meeting.publish(new.offer)
        }
        Scribbler(choices).scribble(process)
        if choices.happens("hostileRing", 0.5) { try connection?.nudge() }
        return now + .microseconds(choices.number("hostilePause", in: 100..<20_000))
    }
}
