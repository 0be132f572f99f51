import XenCore
import XenStoreServer
import XenStoreWire

/// Our server's core alone, without sockets and threads.
final class CoreStore: TestedStore {
    let server = ServerName.ours
    private var scene: CoreScene

    init(quota: StoreQuota = StoreQuota()) { scene = CoreScene(quota: quota) }

    func connect(_ name: ConnectionName) { scene.connect(name) }

    func perform(
        _ operation: StoreOperation, _ transaction: TransactionID, _ payload: [UInt8],
        on name: ConnectionName
    ) throws -> [Heard] {
        heard(try scene.perform(operation, transaction, payload, on: name))
    }

    /// How it would answer in a transaction that began now, after the changes that are named. Nothing is done.
    func answer(
        to step: StoreStep, inTransactionOf changes: [StoreStep]
    ) throws -> Heard.What? {
        var copy = scene
        let started = try copy.perform(.transactionStart, .none, [0], on: step.connection)
        guard case .reply(let payload)? = started.compactMap(copy.heard).reply,
            let id = UInt32(decimal: payload.prefix { $0 != 0 })
        else { return nil }
        var outputs: [StoreOutput] = []
        for step in changes + [step] {
            outputs = try copy.perform(
                step.operation, TransactionID(rawValue: id), step.payload, on: step.connection)
        }
        return outputs.compactMap(copy.heard).reply
    }

    func introduce(_ domain: DomainID) -> [Heard] { heard(scene.introduce(domain)) }

    func release(_ domain: DomainID) -> [Heard] { heard(scene.release(domain)) }

    private func heard(_ outputs: [StoreOutput]) -> [Heard] { outputs.compactMap(scene.heard) }
}
