import XenCore
import XenGrant

/// The pages of a link, as one of its ends holds them: shared by the front, mapped by the back.
struct LinkPages: ~Copyable {
    struct Shared: ~Copyable {
        let interface: GrantShare
        let data: GrantShare
    }

    struct Mapped: ~Copyable {
        let interface: GrantMapping
        let data: GrantMapping
    }

    private var shared: Shared?
    private var mapped: Mapped?

    /// The interface page; there for as long as these pages are.
    @unsafe let interfaceMemory: SharedMemory

    init(_ shared: consuming Shared) {
        unsafe interfaceMemory = shared.interface.memory
        self.shared = consume shared
    }

    init(_ mapped: consuming Mapped) {
        unsafe interfaceMemory = mapped.interface.memory
        self.mapped = consume mapped
    }

    /// The interface page goes last: its notification tells the peer.
    consuming func close() throws {
        if let shared = shared.take() {
            try shared.data.close()
            try shared.interface.close()
        }
        if let mapped = mapped.take() {
            try mapped.data.close()
            try mapped.interface.close()
        }
    }
}
