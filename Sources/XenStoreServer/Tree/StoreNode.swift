import XenCore
import XenStoreWire

/// One node of the tree, as it is until it is replaced: its value, who may use it, and the names below it.
final class StoreNode: Sendable {
    let key: PathKey
    let value: [UInt8]
    let access: AccessList
    /// When value or permissions last changed.
    let generation: UInt64
    /// When a child was last added or removed.
    let childrenGeneration: UInt64
    /// Its place among its siblings: they are listed in the order of their creation.
    let serial: UInt64
    let children: ChildList
    /// Who made the last change to value or permissions.
    let author: DomainID
    /// Who last added or removed a child.
    let childrenAuthor: DomainID

    init(
        _ key: PathKey, value: [UInt8], access: AccessList, children: ChildList = ChildList(),
        at generation: UInt64, by author: DomainID
    ) {
        self.key = key
        self.value = value
        self.access = access
        self.children = children
        self.generation = generation
        childrenGeneration = generation
        serial = generation
        self.author = author
        childrenAuthor = author
    }

    /// The same node after a change.
    private init(
        _ old: StoreNode, value: [UInt8], access: AccessList, at generation: UInt64,
        by author: DomainID
    ) {
        key = old.key
        self.value = value
        self.access = access
        self.generation = generation
        childrenGeneration = old.childrenGeneration
        serial = old.serial
        children = old.children
        self.author = author
        childrenAuthor = old.childrenAuthor
    }

    /// The same node with other children.
    private init(
        _ old: StoreNode, children: ChildList, at generation: UInt64, by author: DomainID
    ) {
        key = old.key
        value = old.value
        access = old.access
        self.generation = old.generation
        childrenGeneration = generation
        serial = old.serial
        self.children = children
        self.author = old.author
        childrenAuthor = author
    }

    func changed(
        value: [UInt8], access: AccessList, at generation: UInt64, by author: DomainID
    ) -> StoreNode {
        StoreNode(self, value: value, access: access, at: generation, by: author)
    }

    func changed(
        children: ChildList, at generation: UInt64, by author: DomainID
    ) -> StoreNode { StoreNode(self, children: children, at: generation, by: author) }

    /// When it became what it is.
    var version: UInt64 { max(generation, childrenGeneration) }

    /// What a quota on a node's size counts: its value, and its children's names with their NULs.
    var byteCount: Int { value.count + children.byteCount }

    /// What a quota on memory counts, as in the C daemon: path, header, permissions, value and children's names.
    var memoryByteCount: Int {
        Self.memoryByteCount(key, access) + byteCount
    }

    /// The same of an empty node without children.
    static func memoryByteCount(_ key: PathKey, _ access: AccessList) -> Int {
        key.count + 16 + access.memoryByteCount
    }
}
