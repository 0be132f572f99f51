/// Jobs of actors and tasks, first in, first out, in two arrays that keep their memory.
struct JobQueue: Sendable {
    private var incoming: [UnownedJob] = []
    private var outgoing: [UnownedJob] = []
    private var position = 0

    var isEmpty: Bool { position == outgoing.count && incoming.isEmpty }

    mutating func append(_ job: UnownedJob) { incoming.append(job) }

    mutating func popFirst() -> UnownedJob? {
        if position == outgoing.count {
            guard !incoming.isEmpty else { return nil }
            outgoing.removeAll(keepingCapacity: true)
            position = 0
            swap(&incoming, &outgoing)
        }
        defer { position += 1 }
        return outgoing[position]
    }
}
