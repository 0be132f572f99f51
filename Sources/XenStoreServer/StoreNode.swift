import HashTreeCollections
import XenCore
import XenStoreWire

/// One node of the tree: its value, who may use it, and its children. A copy costs O(1) and shares everything.
struct StoreNode: Sendable {
    var value: [UInt8] = []
    /// The owner's entry first; never empty.
    var permissions: [Permission]
    /// When value or permissions last changed.
    var generation: UInt64
    /// When a child was last added or removed.
    var childrenGeneration: UInt64
    /// Its place among its siblings: they are listed in the order of their creation.
    let serial: UInt64
    private(set) var children: TreeDictionary<[UInt8], StoreNode> = [:]
    /// The bytes of a list of the children, a NUL after each.
    private(set) var namesByteCount = 0

    init(permissions: [Permission], generation: UInt64) {
        self.permissions = permissions
        self.generation = generation
        childrenGeneration = generation
        serial = generation
    }

    var owner: DomainID { permissions[0].domain }

    /// The children's names, oldest first.
    var names: [[UInt8]] { childrenInOrder.map(\.name) }

    var childrenInOrder: [(name: [UInt8], node: StoreNode)] {
        children.map { (name: $0.key, node: $0.value) }.sorted { $0.node.serial < $1.node.serial }
    }

    /// What the node counts for against a quota on its size.
    var byteCount: Int { value.count + namesByteCount }

    /// Changes a child in place; `body` may make or remove it.
    mutating func withChild<Result>(
        _ name: [UInt8], at generation: UInt64, _ body: (inout StoreNode?) -> Result
    ) -> Result {
        var change = 0
        let result = children.updateValue(forKey: name) { child in
            let existed = child != nil
            let result = body(&child)
            change = (child != nil ? 1 : 0) - (existed ? 1 : 0)
            return result
        }
        if change != 0 {
            childrenGeneration = generation
            namesByteCount += change * (name.count + 1)
        }
        return result
    }
}
