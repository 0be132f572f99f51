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

    func introduce(_ domain: DomainID) -> [Heard] { heard(scene.introduce(domain)) }

    func release(_ domain: DomainID) -> [Heard] { heard(scene.release(domain)) }

    private func heard(_ outputs: [StoreOutput]) -> [Heard] { outputs.compactMap(scene.heard) }
}
