import Testing
import XenCore
import XenStoreWire

/// The words of a store page, against the offsets of struct xenstore_domain_interface (xen/io/xs_wire.h).
@Suite struct StorePageTests {
    private func word(_ page: StorePage, _ offset: Int) -> UInt32 {
        page.memory.bytes(at: offset, count: 4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    @Test(arguments: [0, 1, 15, UInt32.max]) func eachWordHasItsPlace(_ value: UInt32) {
        let memory = PageMemory()
        let page = StorePage(memory.view)
        page.features = ServerFeatures(rawValue: value)
        page.connection = RingConnection(rawValue: value &+ 1)
        page.fault = RingFault(rawValue: value &+ 2)
        #expect(word(page, 2064) == value)
        #expect(word(page, 2068) == value &+ 1)
        #expect(word(page, 2072) == value &+ 2)
        #expect(page.features.rawValue == value)
        #expect(page.connection.rawValue == value &+ 1)
        #expect(page.fault.rawValue == value &+ 2)
        #expect(page.port == nil)
        memory.view.store([5, 0, 0, 1], at: 2076)
        #expect(page.port == EventPort(0x0100_0005))
    }

    @Test func emptyingTheRingsTouchesTheirIndicesOnly() {
        let memory = PageMemory()
        memory.view.store([UInt8](repeating: 0xA5, count: Page.byteCount), at: 0)
        StorePage(memory.view).emptyRings()
        var expected = [UInt8](repeating: 0xA5, count: Page.byteCount)
        for offset in 2048..<2064 { expected[offset] = 0 }
        #expect(memory.view.bytes(at: 0, count: Page.byteCount) == expected)
    }

    @Test func faultsHaveWords() {
        #expect(RingFault.index.description == "impossible index")
        #expect(RingFault(rawValue: 9).description == "error 9")
    }
}

/// A page of memory that the two sides of a test share.
@safe
final class PageMemory: @unchecked Sendable {
    // Invariant: set once, and accessed through views alone.
    private let storage: UnsafeMutableRawPointer

    init() {
        unsafe storage = .allocate(byteCount: Page.byteCount, alignment: Page.byteCount)
        view.zero()
    }

    deinit { unsafe storage.deallocate() }

    /// Safe: the storage lives as long as this object, which outlives the view in every test.
    var view: SharedMemory { unsafe SharedMemory(base: storage, byteCount: Page.byteCount) }
}
