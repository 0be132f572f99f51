import XenRing

/// One direction of a byte ring, and the ports of its two ends.
struct BytePage: SteppablePage {
    static var freshMemo: ByteLaneMemo { ByteLaneMemo() }

    var producer: UInt32
    var consumer: UInt32
    var error: UInt32 = 0
    var bytes: [UInt8]
    var writerPort = ModelPort()
    var readerPort = ModelPort()
    /// The toolstack's word that an end is no more.
    var isDown = false

    var key: [UInt32] {
        [producer, consumer, error, isDown ? 1 : 0, writerPort.key, readerPort.key]
            + bytes.map(UInt32.init)
    }
}

/// An event channel's port that forgets more than Xen's: what rings while it is masked may be lost.
struct ModelPort {
    private var isPending = false
    private var isMasked = false

    var key: UInt32 { (isPending ? 1 : 0) + (isMasked ? 2 : 0) }

    /// - Parameter isInVain: whether it is lost if the port is masked.
    mutating func ring(isInVain: Bool = false) {
        if isMasked && isInVain { return }
        isPending = true
    }

    /// Delivers the event, which masks the port. Nil if there is none.
    var delivered: ModelPort? {
        guard isPending, !isMasked else { return nil }
        var delivered = self
        (delivered.isPending, delivered.isMasked) = (false, true)
        return delivered
    }

    mutating func unmask() { isMasked = false }
}
