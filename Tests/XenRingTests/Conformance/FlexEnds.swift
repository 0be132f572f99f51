#if LibXen
    import CRing
    import XenCore
    import XenRing

    /// An end of a pair of byte rings, ours or C's, as the conformance tests drive it.
    protocol FlexEnd: AnyObject {
        func write(_ bytes: [UInt8]) throws -> Int
        func read(_ count: Int) throws -> [UInt8]
    }

    /// The page with the indices and the data pages of one pair of rings.
    struct FlexMemory {
        let interface = TestMemory()
        let data: TestMemory

        init(order: Int) { data = TestMemory(byteCount: Page.byteCount << order) }

        func hasSameBytes(as other: FlexMemory) -> Bool {
            interface.hasSameBytes(as: other.interface) && data.hasSameBytes(as: other.data)
        }
    }

    final class SwiftFlexEnd: FlexEnd {
        private var end: ByteRingEnd

        init(_ end: consuming ByteRingEnd) { self.end = end }

        func write(_ bytes: [UInt8]) throws -> Int { try end.writer.write(bytes.span).byteCount }

        func read(_ count: Int) throws -> [UInt8] {
            var bytes: [UInt8] = []
            _ = try end.reader.read(appendingTo: &bytes, upTo: count)
            return bytes
        }
    }

    @safe
    final class CFlexEnd: FlexEnd {
        private let kind: UnsafePointer<cring_flex_kind>
        private var end = unsafe cring_flex_end()
        private let isFront: Bool

        /// A front, which makes the rings.
        init(
            _ kind: UnsafePointer<cring_flex_kind>, initializing memory: FlexMemory, order: Int,
            references: [UInt32], at index: UInt32
        ) {
            unsafe self.kind = unsafe kind
            isFront = true
            unsafe kind.pointee.front_init(
                &end, memory.interface.view.baseAddress, memory.data.view.baseAddress,
                UInt32(order), references, index)
        }

        /// A back. Nil if it does not believe the order.
        init?(_ kind: UnsafePointer<cring_flex_kind>, attachingTo memory: FlexMemory) {
            unsafe self.kind = unsafe kind
            isFront = false
            let isAttached = unsafe kind.pointee.back_attach(
                &end, memory.interface.view.baseAddress, memory.data.view.baseAddress)
            if isAttached == 0 { return nil }
        }

        func write(_ bytes: [UInt8]) -> Int {
            unsafe (isFront ? kind.pointee.front_write : kind.pointee.back_write)(
                &end, bytes, bytes.count)
        }

        func read(_ count: Int) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: count)
            let read = unsafe (isFront ? kind.pointee.front_read : kind.pointee.back_read)(
                &end, &bytes, count)
            return Array(bytes.prefix(read))
        }
    }
#endif
