package import XenCore

extension SharedMemory {
    /// A 32-bit word, little-endian, as a peer that keeps to no rule reads and writes it.
    package subscript(word offset: Int) -> UInt32 {
        get { bytes(at: offset, count: 4).reversed().reduce(0) { $0 << 8 | UInt32($1) } }
        nonmutating set {
            store((0..<4).map { UInt8(truncatingIfNeeded: newValue >> ($0 * 8)) }, at: offset)
        }
    }
}
