import XenStoreWire

/// What a connection was sent, or that it was ended.
///
/// As text: the reply's payload as it is, with `|` for NUL, or `!NAME` for an error; `CONNECTION<PATH|TOKEN|` for an
/// event; `CONNECTION<closed`.
struct Heard: Hashable, Sendable, CustomStringConvertible {
    enum What: Hashable, Sendable {
        case event([UInt8])
        case reply([UInt8])
        case refusal(StoreErrorName)
        case closed
    }

    let connection: ConnectionName
    var what: What

    init(_ connection: ConnectionName, _ what: What) {
        self.connection = connection
        self.what = what
    }

    init(_ connection: ConnectionName, _ packet: Packet) {
        self.connection = connection
        what =
            switch packet.operation {
            case .watchEvent: .event(packet.payload)
            case .error: .refusal(StoreErrorName(payload: packet.payload))
            default: .reply(packet.payload)
            }
    }

    var description: String {
        switch what {
        case .event(let payload): "\(connection)<\(Script.text(payload))"
        case .reply(let payload): Script.text(payload)
        case .refusal(let name): "!\(name)"
        case .closed: "\(connection)<closed"
        }
    }
}

extension [Heard] {
    /// The order that clients can see: each connection's own.
    var byConnection: [Heard] {
        let connections = Set(map(\.connection)).sorted()
        return connections.flatMap { name in filter { $0.connection == name } }
    }

    var text: String { map(\.description).joined(separator: " ; ") }

    /// The reply among it; nil if there is none.
    var reply: Heard.What? {
        lazy.map(\.what).first {
            switch $0 {
            case .reply, .refusal: true
            case .event, .closed: false
            }
        }
    }
}
