import CSystem

/// Several descriptors as one, which is readable while any of them is. Nests in anyone's poll or epoll.
package struct DescriptorSet: ~Copyable, Sendable {
    private let owned: OwnedDescriptor

    package init() throws(SystemFailure) {
        let raw = csystem_epoll()
        guard raw >= 0 else { throw SystemFailure("epoll_create1") }
        owned = OwnedDescriptor(adopting: raw)
    }

    package var descriptor: Int32 { owned.rawValue }

    /// Adds a descriptor, which goes by itself when it is closed everywhere.
    package func add(_ descriptor: Int32) throws(SystemFailure) {
        guard csystem_epoll_add(owned.rawValue, descriptor) == 0 else {
            throw SystemFailure("epoll_ctl")
        }
    }
}
