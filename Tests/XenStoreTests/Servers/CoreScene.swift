import XenCore
import XenStoreServer
import XenStoreWire

/// Our server's core alone: a value, with its clock and its connections in a test's hands.
///
/// Each INTRODUCE goes on at once, as in a server without rings.
struct CoreScene {
    private(set) var core: StoreCore
    private var now = Deadline(sinceEpoch: .seconds(1000))
    /// What INTRODUCE meets: nil where domains' rings are attached.
    var attachFailure: StoreErrorName?
    private var names: [ConnectionID: ConnectionName] = [:]

    init(quota: StoreQuota, heldByteCountLimit: Int = .max) {
        core = StoreCore(quota: quota, heldByteCountLimit: heldByteCountLimit)
    }

    /// The connection of this name, opened if it is not.
    @discardableResult
    mutating func connect(_ name: ConnectionName) -> ConnectionID {
        if let known = names.first(where: { $0.value == name }) { return known.key }
        let id = core.connect(as: name.domain)
        names[id] = name
        return id
    }

    mutating func disconnect(_ name: ConnectionName) {
        guard let id = names.first(where: { $0.value == name })?.key else { return }
        core.disconnect(id)
        names[id] = nil
    }

    mutating func letPass(_ duration: Duration) { now = now + duration }

    /// Whether a connection is not held back.
    mutating func serves(_ name: ConnectionName) -> Bool {
        core.mayServe(connect(name), now: now)
    }

    mutating func perform(
        _ operation: StoreOperation, _ transaction: TransactionID, _ payload: [UInt8],
        on name: ConnectionName
    ) throws -> [StoreOutput] {
        let packet = try Packet(
            operation, requestID: 7, transaction: transaction, payload: payload)
        let id = connect(name)
        let now = now
        return act { core, outputs in core.handle(packet, from: id, now: now, &outputs) }
    }

    mutating func introduce(_ domain: DomainID) -> [StoreOutput] {
        act { core, outputs in core.introduce(domain, &outputs) }
    }

    mutating func release(_ domain: DomainID) -> [StoreOutput] {
        act { core, outputs in core.release(domain, &outputs) }
    }

    mutating func shutDown(_ domain: DomainID) -> [StoreOutput] {
        act { core, outputs in core.shutDown(domain, &outputs) }
    }

    private mutating func act(
        _ body: (inout StoreCore, inout [StoreOutput]) -> Void
    ) -> [StoreOutput] {
        var outputs: [StoreOutput] = []
        body(&core, &outputs)
        for output in outputs {
            guard case .attach(_, port: _, let ticket) = output else { continue }
            if let attachFailure {
                core.failedToAttach(ticket, attachFailure, &outputs)
            } else {
                core.attached(ticket, as: nil, &outputs)
            }
        }
        return outputs
    }

    /// What a connection hears; nil for what none does.
    func heard(_ output: StoreOutput) -> Heard? {
        switch output {
        case .close(let id): names[id].map { Heard($0, .closed) }
        case .send(let id, let packet): names[id].map { Heard($0, packet) }
        case .attach, .detach, .log: nil
        }
    }
}
