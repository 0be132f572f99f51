import XenCore

/// Sessions whose readers did not take all that they were offered, with the time by which they must take something.
struct SlowReaders {
    private struct Entry {
        let session: ConnectionID
        let progress: UInt64
        let deadline: Deadline
    }

    /// Sorted by deadline, since every session gets the same time.
    private var entries: [Entry] = []
    private var first = 0

    /// When the first of them is to be looked at.
    var next: Deadline? { first < entries.count ? entries[first].deadline : nil }

    /// Has an eye on a session, which is in here once at most.
    mutating func add(_ session: ServerSession, until deadline: Deadline) {
        guard !session.isTimed else { return }
        session.isTimed = true
        entries.append(Entry(session: session.id, progress: session.progress, deadline: deadline))
    }

    /// The next session whose time is over, with how often its reader had taken something when that began.
    mutating func takeExpired(
        at now: Deadline
    ) -> (session: ConnectionID, progress: UInt64)? {
        guard first < entries.count, entries[first].deadline <= now else { return nil }
        let entry = entries[first]
        first += 1
        if first * 2 > entries.count {
            entries.removeSubrange(..<first)
            first = 0
        }
        return (entry.session, entry.progress)
    }
}
