import Testing
import XenCore
import XenStoreWire

@testable import XenStoreClient

/// A client's core with its server and its clock in a test's hands.
struct CoreHarness {
    var core: ClientCore
    var now = Deadline(sinceEpoch: .zero)
    /// What the core has sent in this epoch.
    private(set) var sent: [Packet] = []
    private var parser = PacketParser()

    init(traits: LinkTraits? = LinkTraits(), canReconnect: Bool = true) {
        core = ClientCore(patience: .seconds(5), canReconnect: canReconnect)
        if let traits { connect(traits) }
    }

    mutating func connect(_ traits: LinkTraits = LinkTraits()) {
        sent = []
        parser = PacketParser()
        core.connected(traits, now: now)
    }

    mutating func disconnect() {
        core.disconnected(StoreError(.disconnected, "cut"), now: now, random: 0)
    }

    mutating func begin(
        _ request: Request, in scope: TransactionScope = .none, within limit: Duration = .seconds(5)
    ) throws -> RequestHandle {
        try core.begin(request, in: scope, until: now + limit)
    }

    mutating func withdraw(_ handle: RequestHandle) -> StoreError? {
        core.withdraw(handle, now: now)
    }

    mutating func removeWatch(_ id: WatchID) { core.removeWatch(id, now: now) }

    /// Lets time pass. Returns why the connection had better be given up.
    mutating func pass(_ time: Duration) -> StoreError? {
        now = now + time
        return core.expire(now)
    }

    /// Lets the transport take what there is, or some bytes of it. Returns the new whole packets.
    @discardableResult
    mutating func flush(_ limit: Int = .max) throws -> [Packet] {
        var left = limit
        var packets: [Packet] = []
        while left > 0, core.prepareOutput() {
            let count = min(left, core.output.count)
            parser.append(core.output.bytes[core.output.offset...].prefix(count))
            core.tookOutput(count)
            left -= count
            while let packet = try parser.next() { packets.append(packet) }
        }
        sent += packets
        return packets
    }

    mutating func receive(_ id: UInt32, _ operation: StoreOperation, _ payload: String) throws {
        try core.receive(
            try Packet(operation, requestID: id, payload: Script.octets(payload)).bytes[...])
    }

    mutating func answer(_ request: Packet, _ payload: String) throws {
        try receive(request.requestID, request.operation, payload)
    }

    mutating func refuse(_ request: Packet, _ name: String) throws {
        try receive(request.requestID, .error, name + "|")
    }

    /// How requests ended since the last look: the payload, or the error.
    mutating func endings() -> [RequestHandle: String] {
        var endings: [RequestHandle: String] = [:]
        for completion in core.takeCompletions() {
            switch completion.result {
            case .success(let answer): endings[completion.handle] = Script.text(answer.payload)
            case .failure(let error):
                endings[completion.handle] = error.name?.rawValue ?? error.code.description
            }
        }
        return endings
    }

    /// The watches that got something since the last look.
    mutating func signals() -> [WatchID] {
        var signals: [WatchID] = []
        while let id = core.takeSignal() { signals.append(id) }
        return signals
    }

    /// A watch that the server has set, its first event taken.
    mutating func establishedWatch(
        _ path: StorePath, limit: Int = 8
    ) throws -> (id: WatchID, token: String) {
        let (id, handle) = try core.addWatch(path, limit: limit, until: now + .seconds(5))
        _ = core.submit(handle)
        let request = try #require(try flush().last)
        let token = try Self.token(request)
        try answer(request, "OK|")
        try receive(0, .watchEvent, "\(path)|\(token)|")
        #expect(try core.nextEvent(id) == .changed(path))
        _ = endings()
        _ = signals()
        return (id, token)
    }

    /// The token in a WATCH or UNWATCH.
    static func token(_ request: Packet) throws -> String {
        let fields = try #require(Fields.all(request.payload))
        return String(decoding: try #require(fields.dropFirst().first), as: UTF8.self)
    }
}
