import Testing
import XenCore
import XenStoreServer
import XenStoreWire

/// A server's core with a few nodes, dom0 and a guest, for requests that are wrong.
struct MalformedStage {
    enum Asker: CaseIterable, Sendable {
        case dom0
        case guest
    }

    /// The answer to a request.
    enum Answer: Hashable {
        case done([UInt8])
        case refused(StoreErrorName)

        static let ok = Answer.done(Reply.acknowledgement)
    }

    private(set) var core = StoreCore()
    private var connections: [Asker: ConnectionID] = [:]
    private let observer: ConnectionID
    private let now = Deadline(sinceEpoch: .seconds(1000))
    private var lastRequestID: UInt32 = 0

    init() throws {
        observer = core.connect(as: .dom0)
        var outputs: [StoreOutput] = []
        core.introduce(DomainID(1), &outputs)
        connections = [.dom0: core.connect(as: .dom0), .guest: core.connect(as: DomainID(1))]
        for (path, permissions) in [
            ("/a/b", "r0"), ("/secret", "n0"), ("/g/x", "b1"), ("/g", "n1"),
            ("/local/domain/1/data", "n1"), ("/local/domain/1", "n1"),
        ] {
            #expect(try ask(.dom0, .write, Array("\(path)\0v".utf8)) == .ok)
            #expect(try ask(.dom0, .setPermissions, Array("\(path)\0\(permissions)\0".utf8)) == .ok)
        }
    }

    /// Sends a request, and sees that it has one answer, which repeats what the request's header had.
    mutating func ask(
        _ asker: Asker, _ operation: StoreOperation, _ payload: [UInt8],
        in transaction: TransactionID = .none, id: UInt32? = nil
    ) throws -> Answer {
        let connection = try #require(connections[asker])
        return try ask(connection, operation, payload, transaction, id)
    }

    private mutating func ask(
        _ connection: ConnectionID, _ operation: StoreOperation, _ payload: [UInt8],
        _ transaction: TransactionID, _ id: UInt32?
    ) throws -> Answer {
        lastRequestID += 1
        let request = try Packet(
            operation, requestID: id ?? lastRequestID, transaction: transaction, payload: payload)
        var outputs: [StoreOutput] = []
        core.handle(request, from: connection, now: now, &outputs)
        for output in outputs {
            guard case .attach(_, port: _, let ticket) = output else { continue }
            core.attached(ticket, as: nil, &outputs)
        }
        let answers = outputs.compactMap { output -> Packet? in
            guard case .send(connection, let packet) = output, packet.operation != .watchEvent
            else { return nil }
            return packet
        }
        try #require(answers.count == 1, "\(operation) has \(answers.count) answers")
        let answer = answers[0]
        #expect(answer.requestID == request.requestID && answer.transaction == transaction)
        guard answer.operation == .error else {
            #expect(answer.operation == operation)
            return .done(answer.payload)
        }
        return .refused(StoreErrorName(payload: answer.payload))
    }

    /// A transaction of this asker's own.
    mutating func start(_ asker: Asker) throws -> TransactionID {
        guard case .done(let payload) = try ask(asker, .transactionStart, [0]) else { return .none }
        return try Reply.transaction(payload)
    }

    /// Every node with its value and permissions, as dom0 sees them.
    mutating func nodes() throws -> [String] {
        var lines: [String] = []
        var pending = ["/", "@introduceDomain", "@releaseDomain"]
        while let path = pending.popLast() {
            let payload = Array("\(path)\0".utf8)
            let isSpecial = path.hasPrefix("@")
            let entries = try ask(observer, .getPermissions, payload, .none, nil)
            let value = isSpecial ? .ok : try ask(observer, .read, payload, .none, nil)
            lines.append("\(path) \(value) \(entries)")
            guard !isSpecial,
                case .done(let names) = try ask(observer, .directory, payload, .none, nil)
            else { continue }
            for name in try Reply.names(names) {
                let name = String(decoding: name, as: UTF8.self)
                pending.append(path == "/" ? "/\(name)" : "\(path)/\(name)")
            }
        }
        return lines
    }
}
