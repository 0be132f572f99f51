import WatchedMemory
import XenCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Page-aligned memory for one test, freed at its end.
final class TestMemory {
    let view: SharedMemory

    init(byteCount: Int = Page.byteCount) {
        let base = UnsafeMutableRawPointer.allocate(
            byteCount: byteCount, alignment: Page.byteCount)
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0xA5, count: byteCount)
        // Safe: the view dies with this object, and tests keep the object as long as the view.
        view = unsafe SharedMemory(base: base, byteCount: byteCount)
    }

    deinit { unsafe view.baseAddress.deallocate() }

    var bytes: [UInt8] { view.bytes(at: 0, count: view.byteCount) }

    func hasSameBytes(as other: TestMemory) -> Bool {
        precondition(view.byteCount == other.view.byteCount)
        // Safe: both views are of this many bytes.
        return unsafe memcmp(view.baseAddress, other.view.baseAddress, view.byteCount) == 0
    }

    /// A 32-bit word of the page, as a hostile peer sees it.
    subscript(offset: Int) -> UInt32 {
        get { view[word: offset] }
        set { view[word: offset] = newValue }
    }
}
