import XenStoreWire

/// Transactions by their ordinals on each connection, 1, 2 and so on, since servers number them as they like.
struct TransactionNames {
    private var started: [ConnectionName: [TransactionID]] = [:]

    /// The server's name; one that it never gave out where there is none.
    func id(_ ordinal: UInt32, on connection: ConnectionName) -> TransactionID {
        guard ordinal > 0 else { return .none }
        let known = started[connection] ?? []
        guard ordinal <= UInt32(known.count) else {
            return TransactionID(rawValue: 1_000_000 + ordinal)
        }
        return known[Int(ordinal) - 1]
    }

    /// Names the transaction that a reply tells of, and puts that name into the reply.
    mutating func name(_ heard: inout [Heard], of connection: ConnectionName) {
        for (index, entry) in heard.enumerated() {
            guard entry.connection == connection, case .reply(let payload) = entry.what,
                let id = UInt32(decimal: payload.prefix { $0 != 0 })
            else { continue }
            started[connection, default: []].append(TransactionID(rawValue: id))
            let ordinal = started[connection, default: []].count
            heard[index].what = .reply(decimal(ordinal) + [0])
        }
    }
}
