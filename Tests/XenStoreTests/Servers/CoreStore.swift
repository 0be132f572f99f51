import XenCore
import XenStoreServer
import XenStoreWire

/// Our server's core alone: a value, without sockets and threads.
final class CoreStore: TestedStore {
    let server = ServerName.ours
    private var core: StoreCore
    private let now = Deadline(sinceEpoch: .seconds(1000))
    private var ids: [ConnectionName: ConnectionID] = [:]

    init(quota: StoreQuota = StoreQuota()) { core = StoreCore(quota: quota) }

    func connect(_ name: ConnectionName) {
        if ids[name] == nil { ids[name] = core.connect(as: name.domain) }
    }

    func perform(
        _ operation: StoreOperation, _ transaction: TransactionID, _ payload: [UInt8],
        on name: ConnectionName
    ) throws -> [Heard] {
        connect(name)
        guard let id = ids[name] else { return [] }
        let packet = try Packet(
            operation, requestID: 7, transaction: transaction, payload: payload)
        return act { core, outputs in core.handle(packet, from: id, now: now, &outputs) }
    }

    func introduce(_ domain: DomainID) -> [Heard] {
        act { core, outputs in core.introduce(domain, &outputs) }
    }

    func release(_ domain: DomainID) -> [Heard] {
        act { core, outputs in core.release(domain, &outputs) }
    }

    private func act(_ body: (inout StoreCore, inout [StoreOutput]) -> Void) -> [Heard] {
        var outputs: [StoreOutput] = []
        body(&core, &outputs)
        // Each INTRODUCE goes on at once, as in a server without rings.
        for output in outputs {
            guard case .attach(_, port: _, let ticket) = output else { continue }
            core.attached(ticket, as: nil, now: now, &outputs)
        }
        return heard(outputs)
    }

    private func heard(_ outputs: [StoreOutput]) -> [Heard] {
        outputs.compactMap { output in
            switch output {
            case .close(let id): name(of: id).map { Heard($0, .closed) }
            case .send(let id, let packet): name(of: id).map { Heard($0, packet) }
            case .attach, .detach, .log: nil
            }
        }
    }

    private func name(of id: ConnectionID) -> ConnectionName? {
        ids.first { $0.value == id }?.key
    }
}
